import type { Verdict } from '../../operator/control/plan.ts'
import { isLive, jobsOf } from '../jobs/children.ts'
import { nextRun } from '../jobs/run-once.ts'
import { PROGRAM_RETRIES, runProgram } from '../jobs/run-program.ts'
import { toDuration } from '../shared/duration.ts'
import { heldByBudget } from './budget.ts'
import { groundwork } from './groundwork.ts'
import { isToAsk, type Observed } from './observed.ts'
import { isState } from './reasons.ts'
import { buildGenerateJob } from './resources/generate-job.ts'
import { isInVain, serve } from './serving/policies.ts'

const CHECK_SECONDS = 60 // the end of a pod wakes its owner

/** Policy: nothing is asked for while it is suspended; answers are kept. */
export function holdAsking(seen: Observed): Verdict | undefined {
  const { asker, askings, conclude } = seen
  if (asker.spec.suspend !== true || !isToAsk(seen)) return undefined
  const live = askings.filter(isLive)
  if (live.length > 0) return conclude('Suspending', 'The pod that asks the model stores its answers and stops.', { remove: jobsOf(live), again: CHECK_SECONDS })
  return conclude('Suspended', 'The model is not asked. spec.suspend false goes on with the samples that are missing.')
}

/** Policy: nothing is asked for that the budget does not allow; answers are kept. */
export function holdAskingAtBudget(seen: Observed): Verdict | undefined {
  const held = isToAsk(seen) ? heldByBudget(seen) : undefined
  if (held === undefined) return undefined
  const live = seen.askings.filter(isLive)
  if (live.length === 0) return seen.conclude(held.state, held.message)
  return seen.conclude(held.state, `${held.message} The pod that asks the model stores its answers and stops.`, { remove: jobsOf(live), again: CHECK_SECONDS })
}

/** Policy: asks once for all samples; the model is served for it, and no longer. */
export function ask(seen: Observed): Verdict | undefined {
  if (!isToAsk(seen)) return undefined
  const { asker, askings, settings, conclude } = seen
  const next = nextRun(askings, PROGRAM_RETRIES, seen.now)
  const asked = serve(seen, next) ?? runProgram(next, {
    state: 'Generating', what: 'Asking the model', does: `asks the model for patches${howFar(seen)}`, children: askings,
    build: (number) => [buildGenerateJob(asker, settings, number)],
  }, { ...seen, kind: asker.kind, groundwork: groundwork(seen), words: { isState, conclude } })
  return isInVain(seen) ? { ...asked, message: `${asked.message} Until then its model is not served.` } : asked
}

function howFar({ askingProgress }: Observed): string {
  const { step, totalSteps, etaSeconds } = askingProgress ?? {}
  if (step === undefined || totalSteps === undefined) return ''
  return `: ${step} of ${totalSteps} samples are there${etaSeconds === undefined ? '' : `, the last one in about ${toDuration(60 * Math.ceil(etaSeconds / 60))}`}`
}
