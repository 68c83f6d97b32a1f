// Where a model is read from, in whichever way a specification names it: as the programs in pods are told.
import type { HubModel, S3Source } from '../../crds/common.ts'
import type { FromRun, Origin } from '../../crds/from-run.ts'
import { buildHub, buildS3 } from './sources.ts'

/** A model of a specification: one of these is set. */
export type ModelSpec = Readonly<{ s3?: S3Source | undefined; hub?: HubModel | undefined; fromRun?: FromRun | undefined }>

/** One of `s3` and `hub`, with the Secret that the specification itself names; what is known of its content must be found again. */
export type ModelSource = Readonly<{ s3?: S3Source | undefined; hub?: HubModel | undefined; sha256?: string | undefined; files?: Origin['files'] }>

/** The model whose weights are read first; undefined while the run that `fromRun` names is waited for. */
export function sourceOf({ fromRun, s3, hub }: ModelSpec, origin: Origin | undefined): ModelSource | undefined {
  if (fromRun === undefined) return { s3, hub }
  if (origin === undefined) return undefined
  if (origin.adapter === undefined) return { s3: { uri: origin.uri }, files: origin.files }
  const { base } = origin.adapter
  return {
    s3: base.s3 && { ...base.s3, secretRef: fromRun.secretRef },
    hub: base.hub && { ...base.hub, tokenSecretRef: fromRun.tokenSecretRef },
    sha256: base.sha256,
  }
}

/** The name of the Secret that reading it takes. */
export function secretOf({ s3, hub }: ModelSource = {}): string | undefined {
  return (s3?.secretRef ?? hub?.tokenSecretRef)?.name
}

export function buildModel({ s3, hub, sha256, files }: ModelSource = {}): Readonly<Record<string, unknown>> | undefined {
  if (s3) return { kind: 'S3', ...buildS3(s3), sha256, files: files && digestsOf(files) }
  return hub && { kind: 'Hub', ...buildHub(hub), sha256 }
}

/** Absent where there is none, or none is known yet. */
export function buildAdapter(origin: Origin | undefined): Readonly<Record<string, unknown>> | undefined {
  return origin?.adapter && { run: origin.name, uri: origin.uri, files: digestsOf(origin.files) }
}

function digestsOf(files: Origin['files']): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ name, sha256 }) => [name, sha256]))
}
