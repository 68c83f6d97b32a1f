import { hasStarted } from '../jobs/trouble.ts'
import { backoffSeconds, MAX_ATTEMPTS_WITHOUT_PROGRESS, secondsLeft } from '../jobs/backoff.ts'
import { type Outcome, outcomeOf } from '../jobs/outcome.ts'
import { endTimeOf, isLive, newestPod } from '../jobs/children.ts'
import { refOf } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import { type Preparation } from './children.ts'
import { isPrepared, type Observed } from './observed.ts'
import { conclude, isState } from './reasons.ts'
import { buildPrepareJob } from './resources/prepare-job.ts'
import { buildableInputs, inputsIfChanged, superviseStart, waitForCertificate } from './supervision.ts'

const PREPARATIONS_KEPT = 5 // for a person to look at; of older ones those that count against the limit stay, as they are the count

/** Data is prepared once; a preparation that fails for reasons of its own is repeated like an attempt. */
export function prepareData(seen: Observed): Verdict | undefined {
  if (isPrepared(seen)) return undefined
  const live = seen.preparations.findLast(isLive)
  if (live) return supervise(seen, live)
  const outcomes = seen.preparations.map(outcomeOf)
  const last = outcomes.at(-1)
  if (last === undefined) return start(seen, 1)
  const counted = outcomes.filter(isCounted).length
  const isHopeless = outcomes.length >= MAX_ATTEMPTS_WITHOUT_PROGRESS && !outcomes.slice(-MAX_ATTEMPTS_WITHOUT_PROGRESS).some(isCounted)
  if (last.retry === 'Never' || counted > seen.resolved.retryLimit || isHopeless) return giveUp(seen, last)
  return retry(seen, last, last.retry === 'Counted' ? counted : outcomes.length)
}

function isCounted({ retry }: Outcome): boolean {
  return retry === 'Counted'
}

function supervise(seen: Observed, preparation: Preparation): Verdict {
  const pod = newestPod(preparation)?.metadata.name
  const verdict = hasStarted(preparation) ? conclude('Preparing', `Pod ${pod} reads, checks and splits the data.`) : superviseStart(seen, preparation, 'Preparing')
  return { ...verdict, apply: inputsIfChanged(seen) }
}

function retry(seen: Observed, last: Outcome, times: number): Verdict {
  const previous = seen.preparations.at(-1)
  const number = (previous?.number ?? 0) + 1
  const wait = secondsLeft(previous && endTimeOf(previous), backoffSeconds(times), seen.now)
  if (wait === 0) return start(seen, number)
  return conclude('Retrying', `Preparing the data ended with ${last.reason}: ${last.message} It is tried again.`, { again: wait })
}

function giveUp(seen: Observed, { reason, message, retry }: Outcome): Verdict {
  const state = retry === 'Never' && isState(reason) ? reason : 'Failed'
  const times = seen.preparations.at(-1)?.number
  const story = `Preparing the data failed ${times} times, at last with ${reason}: ${message} Remove the cause and create a new TrainingRun.`
  return conclude(state, retry === 'Never' ? message : story)
}

function start(seen: Observed, number: number): Verdict {
  if (!buildableInputs(seen)) return waitForCertificate()
  const { run, resolved, settings, preparations } = seen
  const old = preparations.slice(0, -PREPARATIONS_KEPT).filter((one) => !isCounted(outcomeOf(one))).flatMap(({ job }) => (job === undefined ? [] : [refOf(job)]))
  const job = buildPrepareJob(run, resolved, settings, number)
  return conclude('Preparing', 'The data is about to be read, checked and split.', { apply: inputsIfChanged(seen), create: [job], remove: old })
}
