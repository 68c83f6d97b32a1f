import { readFile } from 'node:fs/promises'
import { OPERATOR_NAMESPACE, type Site } from './site.ts'

const OPERATOR = `system:serviceaccount:${OPERATOR_NAMESPACE}:swe-operator`

/** A request as the API server itself wrote it down. */
export type AuditEvent = Readonly<{
  stage: string
  requestReceivedTimestamp: string
  user: Readonly<{ username: string }>
  verb: string
  objectRef?: Readonly<{ apiGroup?: string; resource: string; subresource?: string; namespace?: string; name?: string }>
  responseStatus?: Readonly<{ code: number; message?: string }>
}>

/** All that the operator has asked of the API server since the cluster was made. */
export async function callsOfTheOperator(site: Site): Promise<readonly AuditEvent[]> {
  const lines = (await readFile(site.cluster.auditLogPath, 'utf8')).split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as AuditEvent).filter((event) => event.user.username === OPERATOR)
}
