// What is said about a PreferenceGen, for the person who reads kubectl describe.
import type { Observed } from './observed.ts'

export function beginMessage({ generation, prepared }: Observed): string {
  const patches = prepared?.summary?.uniquePatches ?? generation.status?.data?.uniquePatches
  return `A SWEBenchEval begins to grade ${patches === undefined ? 'the' : patches} patches.`
}

export function doneMessage({ reported }: Observed): string {
  const found = reported?.summary
  if (found === undefined) return 'The pairs lie in the store.'
  const lost = [...(found.allPass === 0 ? [] : [`${found.allPass} that every sample resolves`]), ...(found.allFail === 0 ? [] : [`${found.allFail} that none does`])]
  const without = lost.length === 0 ? '' : ` Instances without a contrast: ${lost.join(', ')}.`
  return `${found.pairs} pairs of ${found.withPairs} instances, from ${found.samples} samples of which ${found.resolved} resolve.${without}`
}
