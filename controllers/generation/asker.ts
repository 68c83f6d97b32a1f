// The resources that may have a model make patches.
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'

export type Asker = PreferenceGen | SWEBenchEval

const PREFIXES: Readonly<Record<Asker['kind'], string>> = { PreferenceGen: 'prefs', SWEBenchEval: 'eval' }

/** Of what is made for it here: unlike those of another kind with the same name. */
export function childName({ kind, metadata: { name } }: Asker, part: string): string {
  return `${name}-${PREFIXES[kind]}-${part}`
}
