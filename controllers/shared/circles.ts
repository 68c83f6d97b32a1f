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

/** The shortest way from one back to itself, each waiting for the next; undefined where there is none. */
export function circleOf(one: Waiting, waitersOf: (awaited: Waiting) => readonly Waiting[]): readonly Waiting[] | undefined {
  const reached = new Set<string>()
  const chains: (readonly [Waiting, ...Waiting[]])[] = [[one]]
  for (const chain of chains) { // which grows meanwhile
    for (const waiter of waitersOf(chain[0])) {
      if (named(waiter) === named(one)) return [one, ...chain]
      if (!reached.has(named(waiter))) chains.push([waiter, ...chain])
      reached.add(named(waiter))
    }
  }
  return undefined
}

/** As the caches have it; their indexes lead from each to those that wait for it. */
export function lookForCircle({ kind, metadata: { namespace = '', name } }: KubeObject, cache: Pick<Cache, 'of'>): readonly Waiting[] | undefined {
  return circleOf({ kind, name }, (awaited) => {
    const key = referenceKey(awaited, { namespace, name: awaited.name })
    const waiters = KINDS.flatMap((type) => cache.of<KubeObject>(type).by(WAITING_FOR, key))
    return waiters.map((waiter) => ({ kind: waiter.kind, name: waiter.metadata.name })).toSorted((a, b) => (named(a) < named(b) ? -1 : 1)) // a cache has no order
  })
}

/** `fields` are those of the first that name a resource of each kind. */
export function waitInCircle(circle: readonly Waiting[], fields: Readonly<Record<string, string>>): string {
  return `${circle.map(named).join(' → ')} wait for each other (${fields[circle[1]?.kind ?? '']}). Delete one of them and create it so that it waits for none of the others.`
}

function named({ kind, name }: Waiting): string {
  return `${kind} ${name}`
}
