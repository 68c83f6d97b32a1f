// Evaluations that nothing may be like which is learned from: what programs compare with, and what their pods mount for it.
import type { Mount } from '../../jobs/program-pod.ts'
import { buildSource, sourceMounts, type Source } from '../../shared/sources.ts'
import type { Asker } from '../asker.ts'

/** For the programs; absent where nothing is compared. */
export function buildDecontamination(asker: Asker): Readonly<Record<string, unknown>> {
  const against = againstOf(asker).map((one, at) => ({ source: buildSource(one, folderOf(at)), format: one.format }))
  return against.length === 0 ? {} : { decontamination: { against } }
}

/** What a pod mounts to read them. */
export function evaluationMounts(asker: Asker): readonly Mount[] {
  return againstOf(asker).flatMap((one, at) => sourceMounts(`evaluation-${at}`, one, folderOf(at)))
}

function againstOf(asker: Asker): readonly (Source & Readonly<{ format: string }>)[] {
  return (asker.kind === 'PreferenceGen' && asker.spec.decontamination?.against) || []
}

function folderOf(at: number): string {
  return `/etc/swe-operator-evaluation-${at}`
}
