// What a model made, as the next program reads it.
import { ownUri } from '../shared/artifacts.ts'
import type { Source } from '../shared/sources.ts'
import type { Asker } from './asker.ts'
import { samplesOf, type Observed } from './observed.ts'

/** Where samples are, and at which revision the rows were when the model was asked about them. */
export type Samples = Source & Readonly<{ revision?: string }>

/** Undefined while the model has yet to make them. */
export function samplesMade(seen: Observed, store: Readonly<{ bucket: string }>): Samples | undefined {
  const made = samplesOf(seen)
  if (made === undefined) return undefined
  const { predictions, ...rest } = made
  return { s3: { uri: ownUri(seen.asker, store, predictions) }, ...rest }
}

/** A hub may have changed since; what was not frozen otherwise is read again as it is. */
export function asAsked(instances: Asker['spec']['instances'], { revision }: Samples): Source {
  return instances.hub === undefined || revision === undefined ? instances : { hub: { ...instances.hub, revision } }
}
