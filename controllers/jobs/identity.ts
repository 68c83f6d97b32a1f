// How pods of an owner reach the artifact endpoint, and prove whose they are.
import type { Owner, OwnerKind } from '../shared/labels.ts'

const PLURALS: Readonly<Record<OwnerKind, string>> = {
  TrainingRun: 'trainingruns',
  PreferenceGen: 'preferencegens',
  SWEBenchEval: 'swebenchevals',
}

/** An owner's own root of the artifact endpoint at this origin. */
export function ownerUrl(origin: string, { kind, metadata: { namespace, name } }: Owner): string {
  return `${origin}/v1alpha1/namespaces/${namespace}/${PLURALS[kind]}/${name}`
}

/** The audience of the tokens of an owner's pods: they are worth nothing to another. */
export function audienceOf({ kind, metadata }: Owner): string {
  return `swe-operator.dev/${PLURALS[kind]}/${metadata.uid}`
}

/** Whether a text can be an audience of ours. */
export function isAudience(text: string): boolean {
  return Object.values(PLURALS).some((plural) => {
    const prefix = `swe-operator.dev/${plural}/`
    return text.startsWith(prefix) && /^[0-9a-z-]{1,64}$/.test(text.slice(prefix.length))
  })
}
