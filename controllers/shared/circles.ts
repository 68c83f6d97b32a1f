// Resources that wait for each other in a circle, of whatever kinds: none of them would ever go on.
import { PreferenceGenType } from '../../crds/preference-gen.ts'
import { SWEBenchEvalType } from '../../crds/swebench-eval.ts'
import { TrainingRunType } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import { referenceKey, WAITING_FOR } from './references.ts'

/** One of those that wait, in a namespace that all of them share. */
export type Waiting = Readonly<{ kind: string; name: string }>

const KINDS = [TrainingRunType, PreferenceGenType, SWEBenchEvalType]

/** The shortest way from one back to itself, each waiting for the next; undefined where there is none. `next`: the kind that the first of them waits for; absent: any. */
export function circleOf(one: Waiting, waitersOf: (awaited: Waiting) => readonly Waiting[], next?: string): readonly Waiting[] | undefined {
  const reached = new Set<string>()
  const chains: (readonly [Waiting, ...Waiting[]])[] = [[one]]
  for (const chain of chains) { // which grows meanwhile
    for (const waiter of waitersOf(chain[0])) {
      const isBack = named(waiter) === named(one)
      if (isBack && (next === undefined || chain[0].kind === next)) return [one, ...chain]
      if (!isBack && !reached.has(named(waiter))) chains.push([waiter, ...chain])
      reached.add(named(waiter))
    }
  }
  return undefined
}

/** As the caches have it; their indexes lead from each to those that wait for it. `next` as above. */
export function lookForCircle({ kind, metadata: { namespace = '', name } }: KubeObject, cache: Pick<Cache, 'of'>, next?: string): readonly Waiting[] | undefined {
  return circleOf({ kind, name }, (awaited) => {
    const key = referenceKey(awaited, { namespace, name: awaited.name })
    const waiters = KINDS.flatMap((type) => cache.of<KubeObject>(type).by(WAITING_FOR, key))
    return waiters.map((waiter) => ({ kind: waiter.kind, name: waiter.metadata.name })).toSorted((a, b) => (named(a) < named(b) ? -1 : 1)) // a cache has no order
  }, next)
}

/** `field` is that of the first which names the second. */
export function waitInCircle(circle: readonly Waiting[], field: string): string {
  return `${circle.map(named).join(' → ')} wait for each other (${field}). Delete one of them and create it so that it waits for none of the others.`
}

function named({ kind, name }: Waiting): string {
  return `${kind} ${name}`
}
