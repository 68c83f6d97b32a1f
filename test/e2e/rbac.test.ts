import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { OPERATOR_NAMESPACE } from '../world/site.ts'
import { stage } from './stage.ts'

const OPERATOR = `system:serviceaccount:${OPERATOR_NAMESPACE}:swe-operator`

type AuditEvent = Readonly<{
  stage: string
  user: Readonly<{ username: string }>
  verb: string
  objectRef?: Readonly<{ apiGroup?: string; resource: string; subresource?: string; namespace?: string; name?: string }>
  responseStatus?: Readonly<{ code: number; message?: string }>
}>

describe('what the operator may do', () => {
  const { site } = stage()

  it('is enough: nothing it asked of the API server was forbidden', async () => {
    const forbidden = (await callsOfTheOperator()).filter((call) => call.responseStatus?.code === 403)
    expect(forbidden.map((call) => `${call.verb} ${call.objectRef?.resource}: ${call.responseStatus?.message}`)).toEqual([])
  })

  it('is not asked for where nobody should: no exec, no attach, no tenant Secret', async () => {
    const seen = (await callsOfTheOperator()).map(({ verb, objectRef: ref }) => `${verb} ${ref?.namespace ?? ''} ${ref?.resource}/${ref?.subresource ?? ''}`)
    expect(seen.filter((call) => /exec|attach|portforward|serviceaccounts\/token/.test(call))).toEqual([])
    expect(seen.filter((call) => / secrets\//.test(call) && !call.includes(` ${OPERATOR_NAMESPACE} `))).toEqual([])
  })

  async function callsOfTheOperator(): Promise<readonly AuditEvent[]> {
    const lines = (await readFile(site.cluster.auditLogPath, 'utf8')).split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as AuditEvent).filter((event) => event.user.username === OPERATOR)
  }
})
