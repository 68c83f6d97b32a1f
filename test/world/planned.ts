// What a plan comes to, in words a test can compare.
import type { Pod } from '../../controllers/shared/kinds.ts'
import { plan } from '../../controllers/training-run/plan.ts'
import type { Observation, PodState } from './training-run.ts'

/** What the user sees and what is written, without the details of the objects. */
export function outcome(seen: Observation) {
  const { writes, status, again } = plan(seen)
  const names = writes.map((write) => `${write.op} ${'object' in write ? `${write.object.kind} ${write.object.metadata.name}` : `${write.ref.kind} ${write.ref.name}`}`)
  const ready = (status as { conditions?: { type: string; message: string }[] } | undefined)?.conditions?.find(({ type }) => type === 'Ready')
  return { state: status?.['state'], message: ready?.message, writes: names, again }
}

export function ended(verdict: NonNullable<Extract<PodState, { kind: 'Ended' }>['verdict']>) {
  return { kind: 'Ended', verdict } as const
}

export function evidence(status: Pod['status'], deleted?: true) {
  return { kind: 'Ended', status, ...(deleted === undefined ? {} : { deleted }) } as const
}
