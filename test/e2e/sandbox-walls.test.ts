// Real sandboxes with a patch that looks for credentials, for other sandboxes' inputs, and for a way to its own.
import { beforeAll, describe, expect, it } from 'vitest'
import { fixtureEval, openEvaluations, untilEvalIs } from '../world/evaluations.ts'
import { OPERATOR_NAMESPACE } from '../world/site.ts'
import { spyFindings, spyPatch } from '../world/spy.ts'
import { viewStore } from '../world/store-view.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-walls'
const NAME = 'walls'
const INSTANCE = 'jpvanhal__inflection-2'
const INVENTED = { Authorization: `Bearer ${'0'.repeat(64)}` }
const HARMLESS = 'diff --git a/NOTE.md b/NOTE.md\nnew file mode 100644\n--- /dev/null\n+++ b/NOTE.md\n@@ -0,0 +1 @@\n+Nothing.\n'

describe('a patch that spies', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  let found: Readonly<Record<string, unknown>>

  beforeAll(async () => {
    await openEvaluations(place, (line) => console.log(line))
    const own = `https://swe-operator-artifacts.${OPERATOR_NAMESPACE}.svc:8443/v1alpha1/namespaces/${NAMESPACE}/swebenchevals/${NAME}`
    const [api, store] = [await addressOf('kubernetes', 'default'), await addressOf('swe-operator-store', OPERATOR_NAMESPACE)]
    const patch = await spyPatch({
      'secrets of the API server': [`https://${api}/api/v1/namespaces/${OPERATOR_NAMESPACE}/secrets`, {}],
      'the bucket': [`http://${store}:7070/swe-operator?list-type=2`, {}],
      'its own input': [`${own}/predictions/0/attempts/1/input`, {}],
      'its own input with an invented capability': [`${own}/predictions/0/attempts/1/input`, INVENTED],
      "another sandbox's input": [`${own}/predictions/1/attempts/1/input`, INVENTED],
      'a place in the store': [`${own}/presign`, { ...INVENTED, 'Content-Type': 'application/json' }, '{"requests":[{"method":"GET","key":"index.json"}]}'],
    })
    const lines = [patch, HARMLESS].map((model_patch) => JSON.stringify({ instance_id: INSTANCE, model_name_or_path: 'spy', model_patch }))
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'spies', namespace: NAMESPACE }, data: { 'predictions.jsonl': `${lines.join('\n')}\n` } })
    await site.kube.apply(fixtureEval(NAME, NAMESPACE, { predictions: { configMap: { name: 'spies', key: 'predictions.jsonl' } } }))
    const evaluation = await untilEvalIs(place, NAME, 'Succeeded', 300)
    const view = await viewStore(site)
    try {
      found = spyFindings((await view.read(`s3://swe-operator/${NAMESPACE}/${evaluation.metadata.uid}/outputs/0/1/test_output.txt`)).toString())
    } finally {
      await view.close()
    }
  }, 400_000)

  it('finds no token, no credential in any environment it can read, and nothing of the container that grades it', () => {
    expect(found).toMatchObject({ tokens: [], environment: [], 'environments of grade': [], 'folders of grade': [] })
  })

  it('sees the inputs of its own prediction alone, and cannot change them', () => {
    expect(found).toMatchObject({ inputs: ['eval.sh', 'go', 'patch.diff', 'sandbox.sh', 'settings', 'test_files', 'watch_files.sh'], 'writing inputs': ['Permission denied', 'Read-only file system'], 'remounting inputs': 'Operation not permitted' })
  })

  it('has no capability, cannot gain one, and runs under a seccomp profile', () => {
    expect(found['privileges']).toEqual({ CapEff: '0000000000000000', NoNewPrivs: '1', Seccomp: '2' })
  })

  it.each(['secrets of the API server', 'the bucket', 'its own input', 'its own input with an invented capability', "another sandbox's input", 'a place in the store'])('is refused, even where no network policy holds: %s', (what) => {
    expect([401, 403]).toContain(found[`asked for ${what}`])
  })

  async function addressOf(service: string, namespace: string): Promise<string> {
    const { spec } = (await site.kube.get<{ spec: { clusterIP: string } }>('service', service, namespace)) ?? {}
    return spec?.clusterIP ?? ''
  }
})
