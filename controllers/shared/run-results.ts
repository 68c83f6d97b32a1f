// What a finished TrainingRun left, for whoever goes on with it.
import type { FromRun, Origin } from '../../crds/from-run.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { sourceOf } from './models.ts'

/** Undefined where its artifacts list neither an adapter nor a model. */
export function originIn(run: TrainingRun): Origin | undefined {
  const folder = run.spec.lora === undefined ? 'model/' : 'adapter/'
  const made = (run.status?.artifacts ?? []).filter(({ name }) => name.startsWith(folder))
  const [first] = made
  if (first === undefined) return undefined
  const uri = first.uri.slice(0, folder.length - 1 - first.name.length)
  const files = made.map(({ name, sha256 }) => ({ name: name.slice(folder.length), sha256 }))
  const adapter = run.spec.lora && adapterIn(run)
  return { name: run.metadata.name, uid: run.metadata.uid ?? '', uri, files, ...(adapter === undefined ? {} : { adapter }) }
}

/** That run's author was allowed to read the Secret that it names; whether another one's is, only naming it shows: in this field. */
export function missingSecret(fromRun: FromRun | undefined, referred: TrainingRun): 'secretRef' | 'tokenSecretRef' | undefined {
  if (referred.spec.lora === undefined) return undefined
  const { s3, hub } = sourceOf(referred.spec.model, referred.status?.fromRun) ?? {}
  if (s3?.secretRef !== undefined && fromRun?.secretRef === undefined) return 'secretRef'
  return hub?.tokenSecretRef !== undefined && fromRun?.tokenSecretRef === undefined ? 'tokenSecretRef' : undefined
}

/** For whoever waited for a run and finds no result of it. */
export function nothingLeft(run: string): string {
  return `TrainingRun ${run} is complete, but its status.artifacts list neither an adapter nor a model. Delete it and create it again.`
}

/** For whoever goes on with a run and lacks its `missingSecret`. */
export function secretWanted(run: string, field: string, kind: string): string {
  return `The model below the adapter of TrainingRun ${run} takes a Secret to be read. Name one that you may read in ${field} of a new ${kind}.`
}

/** Of a chain of runs the base is that of the first. The Secret stays behind: each names its own. */
function adapterIn(run: TrainingRun): Origin['adapter'] {
  const { loraRank = 0, loraAlpha = 0, targetModules = '' } = run.status?.resolved ?? {}
  const { s3, hub } = sourceOf(run.spec.model, run.status?.fromRun) ?? {}
  const { revision = hub?.revision, sha256 } = run.status?.model ?? {}
  const base = {
    ...(s3 === undefined ? {} : { s3: { uri: s3.uri } }),
    ...(hub === undefined ? {} : { hub: { repo: hub.repo, revision, endpoint: hub.endpoint } }),
    sha256,
  }
  return { rank: loraRank, alpha: loraAlpha, targetModules, base }
}
