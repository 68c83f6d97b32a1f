import type { TrainingRun, TrainingRunAttempt, TrainingRunStatus } from '../../crds/training-run.ts'
import { refOf } from '../../operator/api/object.ts'
import { decide, type EventIntent, type Plan, type Verdict, type Write, writesOf } from '../../operator/control/plan.ts'
import { conditionOf, type Condition } from '../../operator/meta/conditions.ts'
import { hasFinalizer } from '../../operator/meta/finalizer.ts'
import { stateEvent } from '../shared/conditions.ts'
import { isTerminal, type Pod } from '../shared/kinds.ts'
import { VERDICT_FINALIZER } from '../shared/labels.ts'
import { isFinished, isGoing } from '../shared/lifecycle.ts'
import { isSettled } from './attempt-table.ts'
import { concerns } from './concerns.ts'
import type { Observed } from './observed.ts'
import { policies } from './policies.ts'
import { toldPods } from './queue/earlier-pods.ts'
import { entryOf } from './reasons.ts'
import { buildStatus } from './status.ts'

/** What is to be done about a run, from what was seen of it alone. */
export function plan(seen: Observed): Plan {
  const pods = [...seen.preparations, ...seen.attempts].flatMap((child) => child.pods)
  // A foreground deletion waits for the pods, and the pods wait for us.
  if (isGoing(seen.run)) return releaseAll([...pods, ...seen.strays])
  const verdict = decide(policies, seen)
  if (!verdict) throw new TypeError(`no policy decided about TrainingRun ${seen.run.metadata.name}`)
  const status = buildStatus(seen, verdict)
  return {
    writes: [...releases(seen), ...writesOf(verdict)],
    status,
    events: isFinished(seen.run) ? [] : eventsOf(seen.run, status, verdict),
    ...(verdict.again === undefined ? {} : { again: Math.max(1, verdict.again) }),
  }
}

/** For pods whose run is gone or goes: nobody reads their verdict any more. */
export function releaseAll(pods: readonly Pod[]): Plan {
  return { writes: pods.filter((pod) => hasFinalizer(pod, VERDICT_FINALIZER)).map(release), events: [] }
}

/** A pod may go once the status, as read back, tells how it or its attempt ended: not earlier, or a crash would lose its verdict. */
function releases({ run, attempts, strays }: Observed): readonly Write[] {
  const settled = attempts.filter(({ number }) => isSettled(run, number)).flatMap(({ pods }) => pods.filter(isTerminal))
  return releaseAll([...strays, ...settled, ...attempts.flatMap(toldPods)]).writes
}

function release(pod: Pod): Write {
  return { op: 'release', ref: refOf(pod), finalizer: VERDICT_FINALIZER }
}

/** One event for each attempt that ended, each concern that began and a new state; none while things go on as they did. */
function eventsOf(run: TrainingRun, status: TrainingRunStatus, verdict: Verdict): readonly EventIntent[] {
  const before = run.status?.attempts ?? []
  const endings = (status.attempts ?? []).filter((one) => one.state !== 'Running' && before.find(({ number }) => number === one.number)?.state !== one.state)
  const begun = concerns.filter((type) => conditionOf(run.status?.conditions, type) === undefined).flatMap((type) => conditionOf(status.conditions, type) ?? [])
  return [...endings.map(eventOfEnding), ...begun.map(eventOfConcern), ...(run.status?.state === verdict.reason ? [] : [stateEvent(entryOf(verdict.reason), verdict)])]
}

function eventOfEnding({ number, state, reason, message, lastStep }: TrainingRunAttempt): EventIntent {
  const where = lastStep === undefined ? '' : ` at step ${lastStep}`
  return {
    type: state === 'Failed' ? 'Warning' : 'Normal',
    reason: reason ?? state,
    action: 'EndAttempt',
    note: `Attempt ${number} ended${where}: ${message ?? state}`,
  }
}

function eventOfConcern({ type, message }: Condition): EventIntent {
  return { type: 'Warning', reason: type, action: 'Train', note: message }
}
