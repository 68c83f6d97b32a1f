import type { Verdict } from '../../operator/control/plan.ts'
import { jobsOf, newestPod, type Child } from '../jobs/children.ts'
import type { Outcome } from '../jobs/outcome.ts'
import { nextRun, outdated } from '../jobs/run-once.ts'
import { endedWith } from '../jobs/run-program.ts'
import { hasStarted } from '../jobs/trouble.ts'
import { isPrepared, type Observed } from './observed.ts'
import { conclude, isState } from './reasons.ts'
import { buildPrepareJob } from './resources/prepare-job.ts'
import { buildableInputs, inputsIfChanged, superviseStart, waitForCertificate } from './supervision.ts'

/** Data is prepared once; a preparation that fails for reasons of its own is repeated like an attempt. */
export function prepareData(seen: Observed): Verdict | undefined {
  if (isPrepared(seen)) return undefined
  const next = nextRun(seen.preparations, seen.resolved.retryLimit, seen.now)
  switch (next.kind) {
    case 'Live':
      return supervise(seen, next.child)
    case 'Start':
      return start(seen, next.number)
    case 'Wait':
      return conclude('Retrying', `${endedWith('Preparing the data', next.last)} It is tried again.`, { again: next.seconds })
    case 'GiveUp':
      return giveUp(next.last, next.times)
  }
}

function supervise(seen: Observed, preparation: Child): Verdict {
  const pod = newestPod(preparation)?.metadata.name
  const verdict = hasStarted(preparation) ? conclude('Preparing', `Pod ${pod} reads, checks and splits the data.`) : superviseStart(seen, preparation, 'Preparing')
  return { ...verdict, apply: inputsIfChanged(seen) }
}

function giveUp({ reason, message, retry }: Outcome, times: number): Verdict {
  const state = retry === 'Never' && isState(reason) ? reason : 'Failed'
  const story = `Preparing the data failed ${times} times, at last with ${reason}: ${message} Remove the cause and create a new TrainingRun.`
  return conclude(state, retry === 'Never' ? message : story)
}

function start(seen: Observed, number: number): Verdict {
  if (!buildableInputs(seen)) return waitForCertificate()
  const { run, resolved, settings, preparations } = seen
  const old = jobsOf(outdated(preparations))
  const job = buildPrepareJob(run, resolved, settings, number)
  return conclude('Preparing', 'The data is about to be read, checked and split.', { apply: inputsIfChanged(seen), create: [job], remove: old })
}
