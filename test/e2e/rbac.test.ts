import { describe, expect, it } from 'vitest'
import { callsOfTheOperator, type AuditEvent } from '../world/audit.ts'
import { OPERATOR_NAMESPACE } from '../world/site.ts'
import { stage } from './stage.ts'

function rightOf({ verb, objectRef: ref }: AuditEvent): string {
  return [verb, ref?.apiGroup ?? '', ref?.resource, ref?.subresource ?? '', ref?.namespace ?? ''].join(' ')
}

describe('what the operator may do', () => {
  const { site } = stage()

  // A restarted API server serves before it has read its roles: for a fraction of a second it refuses what it granted before.
  it('is enough: it asked for nothing that the API server never granted', async () => {
    const calls = await callsOfTheOperator(site)
    const isRefused = (call: AuditEvent): boolean => call.responseStatus?.code === 403
    const granted = new Set(calls.filter((call) => !isRefused(call)).map(rightOf))
    expect(granted.size).toBeGreaterThan(10)
    expect(calls.filter((call) => isRefused(call) && !granted.has(rightOf(call))).map((call) => call.responseStatus?.message)).toEqual([])
  })

  it('is not asked for where nobody should: no exec, no attach, no tenant Secret', async () => {
    const seen = (await callsOfTheOperator(site)).map(({ verb, objectRef: ref }) => `${verb} ${ref?.namespace ?? ''} ${ref?.resource}/${ref?.subresource ?? ''}`)
    expect(seen.filter((call) => /exec|attach|portforward|serviceaccounts\/token/.test(call))).toEqual([])
    expect(seen.filter((call) => / secrets\//.test(call) && !call.includes(` ${OPERATOR_NAMESPACE} `))).toEqual([])
  })
})
