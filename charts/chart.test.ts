import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { generatedFiles, staleFiles } from './generated-files.ts'
import { operatorPermissions } from '../controllers/permissions.ts'
import { poolsSchema } from '../controllers/pools/pool-config.ts'
import { rolesFrom } from './rbac.ts'
import { readmeWithValues } from './readme.ts'
import { valuesJsonSchema, valuesSchema } from './values.ts'

const chartFile = (path: string) => readFileSync(join(import.meta.dirname, 'swe-operator', path), 'utf8')

describe('the files of the chart that are derived from the code', () => {
  it('are up to date', () => {
    expect(staleFiles(generatedFiles())).toEqual([])
  })

  it('are reported when one differs from the code or belongs to no kind any more', () => {
    const files = new Map(generatedFiles())
    const crd = [...files.keys()].find((path) => path.startsWith('files/crds/')) ?? ''
    files.delete(crd)
    files.set('files/rbac.yaml', 'watched: []\n')
    expect(staleFiles(files)).toEqual(['charts/swe-operator/files/rbac.yaml is stale', `charts/swe-operator/${crd} belongs to no kind`])
  })
})

describe('the values', () => {
  it('have defaults that their own schema accepts', () => {
    expect(valuesSchema.safeParse(load(chartFile('values.yaml'))).error?.issues ?? []).toEqual([])
  })

  it('are closed: every object with known keys refuses others', () => {
    const open: string[] = []
    const visit = (path: string, node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      if ('properties' in node && !('additionalProperties' in node && node.additionalProperties === false)) open.push(path)
      for (const [key, child] of Object.entries(node)) visit(`${path}/${key}`, child)
    }
    visit('', JSON.parse(valuesJsonSchema()))
    expect(open).toEqual([])
  })

  it('name pools that the operator understands: each A100 on each platform, on demand and, where the platform says which, spot', () => {
    const { pools } = valuesSchema.parse(load(chartFile('values.yaml')))
    const understood = poolsSchema.parse(Object.entries(pools).map(([name, pool]) => ({ name, ...pool })))
    const markets = ['a100-40', 'a100-80'].flatMap((gpu) => [...['gke', 'eks', 'aks'].flatMap((platform) => [`${gpu}-${platform}`, `${gpu}-${platform}-spot`]), `${gpu}-gfd`])
    expect(understood.map(({ name }) => name).toSorted()).toEqual(markets.toSorted())
    expect(Object.entries(pools).filter(([name, { spot = false }]) => name.endsWith('-spot') !== spot)).toEqual([])
  })

  it('need a README with both markers', () => {
    expect(() => readmeWithValues('# no markers', valuesSchema, {})).toThrow('needs the lines')
  })
})

describe('what the operator may do', () => {
  const { clusterScoped, watched, own } = rolesFrom(operatorPermissions)

  it('is nothing on Secrets outside its own namespace, and by name inside it', () => {
    const onSecrets = (rules: typeof own) => rules.filter((rule) => rule.resources.some((resource) => resource.startsWith('secrets')))
    expect(onSecrets([...clusterScoped, ...watched])).toEqual([])
    for (const rule of onSecrets(own)) {
      if (rule.resourceNames === undefined) expect(rule.verbs).toEqual(['create'])
      else expect(rule.resourceNames).toEqual(['swe-operator-capabilities', 'swe-operator-store', 'swe-operator-tls'])
    }
  })

  it('is, cluster-wide, only to ask whose token it was shown, and to read the labels of one node', () => {
    expect(clusterScoped).toEqual([
      { apiGroups: [''], resources: ['nodes'], verbs: ['get'] },
      { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
    ])
  })
})
