// Whether sandboxes are closed: a pod with their profile tries to get out before the first of them starts.
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { conditionOf, type ConditionIntent } from '../../operator/meta/conditions.ts'
import { jobsOf, newestPod } from '../jobs/children.ts'
import { nextRun } from '../jobs/run-once.ts'
import { isGraded, type Observed } from './observed.ts'
import { PROGRAM_RETRIES } from '../jobs/run-program.ts'
import { supervise } from './program.ts'
import { conclude } from './reasons.ts'
import { buildListenerJob, buildProbeJob } from './resources/probe-jobs.ts'

export const SANDBOX_ISOLATED = 'SandboxIsolated'

type Known = Pick<ConditionIntent, 'status' | 'reason' | 'message'>

/** The condition as it is known by now. */
export function isolationOf({ evaluation, probes }: Pick<Observed, 'evaluation' | 'probes'>): Known {
  const verdict = probes.findLast((probe) => probe.verdict?.exitCode === 0)?.verdict
  if (verdict?.reached !== undefined) {
    const isClosed = verdict.reached.length === 0
    return { status: isClosed ? 'True' : 'False', reason: isClosed ? 'Closed' : 'Reached', message: verdict.message }
  }
  const { status, reason, message } = conditionOf(evaluation.status?.conditions, SANDBOX_ISOLATED) ?? NOT_PROBED
  return { status, reason, message }
}

const NOT_PROBED: Known = { status: 'Unknown', reason: 'NotProbed', message: 'A pod with the profile of a sandbox tries to get out before the first sandbox starts.' }

/** Policy: probes, and lets nothing be graded in sandboxes that are open, unless that is accepted. */
export function isolate(seen: Observed): Verdict | undefined {
  if (isGraded(seen)) return undefined
  if (isolationOf(seen).status !== 'Unknown') return refuseOpen(seen)
  return isAccepted(seen) && isHopeless(seen) ? undefined : probe(seen)
}

/** Says nothing while it is not known whether they are open. */
export function refuseOpen(seen: Observed): Verdict | undefined {
  const { status, message } = isolationOf(seen)
  if (status !== 'False' || isAccepted(seen)) return undefined
  return conclude('NotIsolated', `${message} ${REMEDY}`, { remove: jobsOf(seen.listeners) })
}

const REMEDY = 'Use a network plug-in that enforces NetworkPolicy, such as Calico or Cilium, or accept it with spec.sandbox.isolation: BestEffort in a new SWEBenchEval.'

/** What can be created already while the preparation runs. */
export function probeAhead(seen: Observed): readonly KubeObject[] {
  return isolationOf(seen).status === 'Unknown' ? (probe(seen).create ?? []) : []
}

function isAccepted({ resolved }: Observed): boolean {
  return resolved.isolation === 'BestEffort'
}

function isHopeless({ listeners, probes, now }: Observed): boolean {
  return [listeners, probes].some((children) => nextRun(children, PROGRAM_RETRIES, now).kind === 'GiveUp')
}

function probe(seen: Observed): Verdict {
  const { evaluation, resolved, settings, listeners, probes, now } = seen
  const listener = nextRun(listeners, PROGRAM_RETRIES, now)
  const address = listener.kind === 'Live' ? newestPod(listener.child)?.status?.podIP : undefined
  if (address === undefined) {
    return supervise(seen, listener, {
      state: 'Probing', what: 'The other sandbox of the probe', does: 'waits to be reached', children: listeners,
      build: (number) => [buildListenerJob({ evaluation, resolved, settings, number })],
    })
  }
  return supervise(seen, nextRun(probes, PROGRAM_RETRIES, now), {
    state: 'Probing', what: 'Probing the sandbox', does: 'tries to get out of a sandbox', children: probes,
    build: (number) => [buildProbeJob({ evaluation, resolved, settings, number }, address)],
  })
}
