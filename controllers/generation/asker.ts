// The resources that may have a model make patches.
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'

export type Asker = PreferenceGen | SWEBenchEval

const PREFIXES: Readonly<Record<Asker['kind'], string>> = { PreferenceGen: 'prefs', SWEBenchEval: 'eval' }

/** Of what is made for it here: unlike those of another kind with the same name. */
export function childName(asker: Asker, part: string): string {
  return `${asker.metadata.name}${childEnd(asker, part)}`
}

/** The same without the name of its owner. */
export function childEnd({ kind }: Asker, part: string): string {
  return `-${PREFIXES[kind]}-${part}`
}
