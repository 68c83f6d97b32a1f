// Manifests with one thing changed, and what kubectl says about them.
import type { ControlPlane } from '../cluster/control-plane.ts'
import { CommandFailed, run } from '../cluster/exec.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A change is a JSON merge patch: null removes a field. */
export type RefusedRow = readonly [what: string, change: Json, ...says: readonly [string, ...string[]]]
export type AcceptedRow = readonly [what: string, change: Json]

/** JSON merge patch, RFC 7396. */
export function merged(target: Json | undefined, change: Json): Json {
  if (!isObject(change)) return change
  const base = isObject(target) ? target : {}
  const entries = Object.entries(change).map(([key, value]) => [key, value === null ? null : merged(base[key], value)] as const)
  return Object.fromEntries(Object.entries({ ...base, ...Object.fromEntries(entries) }).filter(([, value]) => value !== null))
}

export function kubectl(cluster: ControlPlane, args: readonly string[], input?: Json): Promise<string> {
  return run(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, ...args], input === undefined ? {} : { input: JSON.stringify(input) })
}

/** The lines of kubectl's complaint without its frame, sorted, because the API server lists some of them in any order. */
export async function complaints(cluster: ControlPlane, args: readonly string[], input?: Json): Promise<string[]> {
  const failure = await kubectl(cluster, args, input).then((output) => `accepted: ${output}`, (error: unknown) => (error instanceof CommandFailed ? error.stderr : Promise.reject(error)))
  return failure
    .trim()
    .replace(/^The \w+ "[^"]*" is invalid: /, '')
    .split('\n')
    .map((line) => line.replace(/^\* /, ''))
    .filter((line) => line !== '')
    .sort()
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
