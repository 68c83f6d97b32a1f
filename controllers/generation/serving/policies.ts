import { refOf, type KubeObject, type ObjectRef } from '../../../operator/api/object.ts'
import type { Verdict } from '../../../operator/control/plan.ts'
import { isLive, jobsOf } from '../../jobs/children.ts'
import type { NextRun } from '../../jobs/run-once.ts'
import { LOOK_AGAIN_SECONDS, lookAtStart } from '../../jobs/start.ts'
import type { Phase } from '../../shared/states.ts'
import { servingInputs } from '../groundwork.ts'
import { isHeldState } from '../reasons.ts'
import { isToAsk, type Observed } from '../observed.ts'
import { buildServer, buildServerPolicy, buildServerService } from '../resources/server.ts'
import { isServed } from './model.ts'
import { invalidPool } from './pool.ts'
import { objectsOf } from './server.ts'
import { standingOf } from './standing.ts'

/** Policy: nobody asks while the server does not answer, for whoever asks in vain gives samples up. `next` is what follows for those who ask. */
export function serve(seen: Observed, next: NextRun): Verdict | undefined {
  const { asker, askings, caBundle, conclude } = seen
  if (!isServed(asker) || !isToAsk(seen) || caBundle === undefined || isInVain(seen)) return undefined
  const invalid = seen.server.deployment === undefined ? invalidPool(asker.spec.generation?.serving, { field: 'spec.generation.serving', kind: asker.kind }, seen.settings) : undefined
  const remove = jobsOf(askings.filter(isLive))
  if (invalid !== undefined) return conclude(invalid.state, invalid.message, { again: LOOK_AGAIN_SECONDS, remove })
  const standing = standingOf(seen)
  if (standing.is === 'Failed') return conclude(standing.state, standing.message, { remove })
  if (next.kind === 'GiveUp') return undefined
  const then = { apply: servingInputs(seen), create: absent(seen), again: LOOK_AGAIN_SECONDS }
  if (standing.is === 'Coming' && next.kind !== 'Wait') return conclude(standing.state ?? 'Serving', standing.message, { ...then, remove })
  return then.create.length === 0 ? undefined : conclude('Serving', 'A part of the server of the model is made again.', then)
}

/** Whether those who ask wait for a person. Meanwhile nothing is served; once they start without a server, it is made and they are made again. */
export function isInVain({ asker, askings, warning, now }: Observed): boolean {
  const live = askings.findLast(isLive)
  return isServed(asker) && live !== undefined && lookAtStart(live, warning, now).state === 'CannotStart'
}

type Decided = Readonly<{ phase: Phase; reason: string }>

/** The parts of the server that nobody needs any more: at once, whatever else is decided. */
export function unneeded(seen: Observed, { phase, reason }: Decided): readonly ObjectRef[] {
  const isNeeded = isToAsk(seen) && !isInVain(seen) && phase !== 'Failed' && phase !== 'Succeeded' && seen.asker.spec.suspend !== true && !isHeldState(reason)
  return isNeeded ? [] : objectsOf(seen.server).filter(({ metadata }) => metadata.deletionTimestamp === undefined).map(refOf)
}

function absent({ asker, resolved, settings, server }: Observed): readonly KubeObject[] {
  return [
    ...(server.policy === undefined ? [buildServerPolicy(asker)] : []),
    ...(server.service === undefined ? [buildServerService(asker)] : []),
    ...(server.deployment === undefined ? [buildServer(asker, resolved, settings)] : []),
  ]
}
