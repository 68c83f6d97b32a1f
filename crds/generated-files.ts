// The files under crds/generated as they should be, and how those on disk differ.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { GROUP } from './common.ts'
import { customResourceDefinition, type KindDefinition } from './definition.ts'

const HEADER = '# Generated from the schemas in crds/ by `npm run generate`. Do not edit.\n'

/** File name → content, one file for each kind. Identical for identical input. */
export function generatedFiles(kinds: readonly KindDefinition[]): ReadonlyMap<string, string> {
  return new Map(kinds.map((kind) => [`${GROUP}_${kind.plural}.yaml`, HEADER + dump(customResourceDefinition(kind), { lineWidth: -1, noRefs: true })]))
}

/** One line for each file that is missing, differs or belongs to no kind any more; empty when all is well. */
export function staleFiles(directory: string, files: ReadonlyMap<string, string>): readonly string[] {
  const onDisk = readdirSync(directory)
  const wrong = [...files].flatMap(([name, content]) => {
    if (!onDisk.includes(name)) return [`crds/generated/${name} is missing`]
    return readFileSync(join(directory, name), 'utf8') === content ? [] : [`crds/generated/${name} is stale`]
  })
  const orphans = onDisk.filter((name) => !files.has(name)).map((name) => `crds/generated/${name} belongs to no kind`)
  return [...wrong, ...orphans]
}
