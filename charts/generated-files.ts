// What in charts/swe-operator is derived from the code: the definitions, the roles, the schema of the values and their table.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dump, load } from 'js-yaml'
import { rolesFrom } from './rbac.ts'
import { readmeWithValues } from './readme.ts'
import { operatorPermissions } from '../controllers/permissions.ts'
import { valuesJsonSchema, valuesSchema } from './values.ts'

const HEADER = '# Generated from what the code declares by `npm run generate`. Do not edit.\n'
const chartDirectory = join(import.meta.dirname, 'swe-operator')
const crdsDirectory = join(import.meta.dirname, '../crds/generated')

/** Path below the chart → content; the same every time. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const read = (path: string) => readFileSync(join(chartDirectory, path), 'utf8')
  const crds = readdirSync(crdsDirectory).filter((name) => name.endsWith('.yaml'))
  return new Map([
    ...crds.map((name) => [`files/crds/${name}`, readFileSync(join(crdsDirectory, name), 'utf8')] as const),
    ['files/rbac.yaml', HEADER + dump(rolesFrom(operatorPermissions), { lineWidth: -1, noRefs: true })],
    ['values.schema.json', valuesJsonSchema()],
    ['README.md', readmeWithValues(read('README.md'), valuesSchema, load(read('values.yaml')))],
  ])
}

/** One line for each file that is missing, differs, or comes from a definition that is gone. */
export function staleFiles(files: ReadonlyMap<string, string>, directory = chartDirectory): readonly string[] {
  const wrong = [...files].filter(([path, content]) => !existsSync(join(directory, path)) || readFileSync(join(directory, path), 'utf8') !== content)
  return [...wrong.map(([path]) => `charts/swe-operator/${path} is stale`), ...orphans(files, directory).map((path) => `charts/swe-operator/${path} belongs to no kind`)]
}

/** Copied definitions of kinds that no longer exist. */
export function orphans(files: ReadonlyMap<string, string>, directory = chartDirectory): readonly string[] {
  return readdirSync(join(directory, 'files/crds')).map((name) => `files/crds/${name}`).filter((path) => !files.has(path))
}
