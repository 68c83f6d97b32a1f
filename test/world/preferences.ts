import type { PreferenceGen } from '../../crds/preference-gen.ts'
import type { Place } from './site.ts'
import { untilIn } from './states.ts'

/** A PreferenceGen as a user would write it. */
export function preferenceGen(name: string, namespace: string, spec: Readonly<Record<string, unknown>>): object {
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen', metadata: { name, namespace }, spec }
}

export function untilPreferencesAre(place: Place, name: string, state: string, seconds: number): Promise<PreferenceGen> {
  return untilIn(place, { kind: 'preferencegen', name }, state, seconds)
}
