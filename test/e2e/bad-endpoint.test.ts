// An API with which everything goes wrong: bounded tries, honest figures, and a key that is nowhere but in its Secret.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { instancesDirectory } from '../cluster/instance-images.ts'
import { badApi } from '../world/bad-api.ts'
import { preferenceGen, untilPreferencesAre } from '../world/preferences.ts'
import { ensureNamespace, OPERATOR_NAMESPACE } from '../world/site.ts'
import { viewStore } from '../world/store-view.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-bad-endpoint'
const NAME = 'unlucky'
const SECONDS = 300
const KEY = 'sk-of-the-tests-0123456789abcdef'
const CURSED = 'r1chardj0n3s/parse'
const ASKED = ['andialbrecht__sqlparse-1', 'mahmoud__boltons-1', 'r1chardj0n3s__parse-1']
const EVERYTHING = 'preferencegens,swebenchevals,jobs,pods,configmaps,deployments,services,events'

describe('an endpoint that is slow, limits, breaks off and talks rubbish', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  let ended: PreferenceGen
  let timesAsked: number

  beforeAll(async () => {
    await site.kube.run(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait', '--timeout=180s'])
    await ensureNamespace(site.kube, NAMESPACE)
    const rows = await readFile(join(instancesDirectory, 'rows.swebench.jsonl'), 'utf8')
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'rows', namespace: NAMESPACE }, data: { 'rows.jsonl': rows, 'prompt.txt': 'Mend {repo}: {problem_statement}' } })
    const api = await badApi(place, { key: KEY, cursed: CURSED })
    const endpoint = { url: api.url, model: api.model, apiKeySecretRef: { name: api.keySecret } }
    const instances = { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench', select: { instanceIds: ASKED } }
    await site.kube.apply(preferenceGen(NAME, NAMESPACE, { instances, promptStyle: 'Custom', promptTemplate: { name: 'rows', key: 'prompt.txt' }, generation: { model: { endpoint }, sampling: { samplesPerInstance: 2 } } }))
    ended = await untilPreferencesAre(place, NAME, 'InvalidData', SECONDS) // its answers have no patch in them
    timesAsked = await api.timesAsked()
  })

  it('is asked again a bounded number of times, and what came of it is counted', () => {
    const counts = ended.status?.generation
    expect(counts).toMatchObject({ instances: 3, samples: 6, generated: 4, givenUp: 2, withoutPatch: 4 })
    expect(counts?.retries).toBeGreaterThanOrEqual(2 * 5)
    expect(timesAsked).toBe(6 + (counts?.retries ?? 0))
  })

  it('gets the key, and nobody else does', async () => {
    const shown = await site.kube.run(['get', EVERYTHING, '-n', NAMESPACE, '-o', 'yaml', '--show-managed-fields'])
    const pods = (await site.kube.run(['get', 'pods', '-n', NAMESPACE, '-o', 'name'])).trim().split('\n')
    const logs = await Promise.all(pods.map((pod) => site.kube.run(['logs', pod, '-n', NAMESPACE, '--all-containers', '--tail=-1'])))
    const operator = await site.kube.run(['logs', '-n', OPERATOR_NAMESPACE, 'deployment/swe-operator', '--all-pods', '--tail=-1'])
    const stored = await everythingStored()
    expect(logs.join()).toContain('of 6 samples')
    expect(stored).toContain('I was sent [key]')
    expect(stored).toContain(`"prompt": "Mend ${CURSED}: `)
    for (const place of [shown, ...logs, operator, stored]) expect(place.includes(KEY)).toBe(false) // not the text itself: a failure would print it all
  })

  async function everythingStored(): Promise<string> {
    const store = await viewStore(site)
    try {
      const uris = await store.list(`s3://swe-operator/${NAMESPACE}/${ended.metadata.uid}/`)
      return (await Promise.all(uris.map((uri) => store.read(uri)))).join('\n')
    } finally {
      await store.close()
    }
  }
})
