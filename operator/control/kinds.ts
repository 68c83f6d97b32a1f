import { kindKey, type ResourceType } from '../api/object.ts'
import type { CachedKind } from '../cache/cache.ts'
import type { Controller } from './controller.ts'

/**
 * What has to be cached for these controllers, each kind once. `declared` says how, and may name further kinds;
 * a selector of a watch counts only where nothing else wants the kind. Throws where two watches select differently.
 */
export function kindsToCache(declared: readonly CachedKind[], controllers: readonly Controller[]): readonly CachedKind[] {
  const kinds = new Map(declared.map((kind) => [kindKey(kind.type), kind]))
  for (const type of controllers.flatMap((controller) => [controller.type, ...controller.owns])) {
    if (!kinds.has(kindKey(type))) kinds.set(kindKey(type), { type })
  }
  const settled = new Set(kinds.keys())
  for (const { type, labelSelector } of controllers.flatMap(({ watches }) => watches)) {
    const key = kindKey(type)
    if (settled.has(key)) continue
    const kind = kinds.get(key)
    if (kind && kind.labelSelector !== labelSelector) throw new Error(`two watches select ${key} differently; declare in kinds how it is cached`)
    kinds.set(key, labelSelector === undefined ? { type } : { type, labelSelector })
  }
  return [...kinds.values()]
}

/** The kinds a plan of this controller may name: its own, those of its children, and those it watches. */
export function writableKinds({ type, owns, watches }: Controller): readonly ResourceType[] {
  return [type, ...owns, ...watches.map((watched) => watched.type)]
}
