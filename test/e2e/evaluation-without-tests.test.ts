// What ends without a test: predictions that were tested the same way before, and those of a dry run.
import { beforeAll, describe, expect, it } from 'vitest'
import { fixtureEval, openEvaluations, reportFileOf, resultsOf, shipPinned, untilEvalIs } from '../world/evaluations.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-without-tests'
const SECONDS = 300
const INSTANCES = ['andialbrecht__sqlparse-1', 'mahmoud__boltons-1', 'r1chardj0n3s__parse-1']

const newFile = (line: string): string => `diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+${line}\n`
const PATCHES = {
  Ok: newFile('answer = 42'),
  DoesNotCompile: newFile('def answer(:'),
  DoesNotApply: 'diff --git a/nowhere.py b/nowhere.py\n--- a/nowhere.py\n+++ b/nowhere.py\n@@ -1 +1 @@\n-one\n+two\n',
  DoesNotParse: 'The bug is in the loop: it must start at 1.\n',
}

describe('an evaluation that needs no tests', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }

  beforeAll(() => openEvaluations(place, (line) => console.log(line)))

  it('runs nothing again that an earlier evaluation of the namespace ran the same, leaves the same official files, and says so', async () => {
    const spec = { instances: await shipPinned(place, INSTANCES), baseline: 'Cached', images: { pinDigests: 'Required' } }
    await site.kube.apply(fixtureEval('fresh', NAMESPACE, spec))
    const fresh = await untilEvalIs(place, 'fresh', 'Succeeded', SECONDS)
    expect(fresh.status).toMatchObject({ data: { pinnedImages: 3 }, counts: { submitted: 3, resolved: 3, cached: 0 } })
    expect(fresh.status?.cost?.pods).toBeGreaterThanOrEqual(9) // a busy machine may cost a sandbox, never a verdict
    await site.kube.apply(fixtureEval('again', NAMESPACE, spec))
    const again = await untilEvalIs(place, 'again', 'Succeeded', SECONDS)
    expect(again.status).toMatchObject({ counts: { ...fresh.status?.counts, cached: 3 }, baseline: { instances: 3, valid: 3, cached: 6 }, cost: { pods: 0 }, resolvedRate: fresh.status?.resolvedRate })
    expect(await reportFileOf(site, again, 'gold.again.json')).toBe(await reportFileOf(site, fresh, 'gold.fresh.json'))
    expect((await resultsOf(site, again)).map(({ state }) => state)).toEqual(['Resolved', 'Resolved', 'Resolved'])
  })

  it('looks at predictions without a test in a dry run, and makes no score of it', async () => {
    const lines = Object.values(PATCHES).map((model_patch, index) => JSON.stringify({ instance_id: INSTANCES[0], model_name_or_path: 'dry', model_patch, sample: index + 1 }))
    await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'predictions-dry', namespace: NAMESPACE }, data: { 'predictions.jsonl': lines.join('\n') } })
    await site.kube.apply(fixtureEval('dry', NAMESPACE, { predictions: { configMap: { name: 'predictions-dry', key: 'predictions.jsonl' } }, dryRun: true }))
    const { status, ...evaluation } = await untilEvalIs(place, 'dry', 'Succeeded', SECONDS)
    expect(status?.dryRun).toMatchObject({ submitted: 4, checked: 4, ok: 1, doesNotParse: 1, doesNotApply: 1, doesNotCompile: 1 })
    expect([status?.counts, status?.resolvedRate]).toEqual([undefined, undefined])
    expect(status?.artifacts?.map(({ name }) => name).toSorted()).toEqual(['report.html', 'results.jsonl'])
    expect((await resultsOf(site, { ...evaluation, status })).map(({ reason }) => reason)).toEqual(Object.keys(PATCHES))
  })

  it('leaves nothing in the cluster but itself once that is wanted, and its reports in the store', async () => {
    const children = async (): Promise<number> => (await Promise.all(['jobs', 'pods', 'configmaps', 'networkpolicies'].map((kind) => site.kube.list(kind, { namespace: NAMESPACE, selector: 'swe-operator.dev/swebench-eval=dry' })))).flat().length
    expect(await children()).toBeGreaterThan(3)
    await site.kube.run(['patch', 'swebencheval', 'dry', '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify({ spec: { cleanup: { afterFinished: '0s' } } })])
    await until('the children of dry are gone', 180, async () => (await children()) === 0)
    const evaluation = await untilEvalIs(place, 'dry', 'Succeeded', SECONDS)
    expect(await resultsOf(site, evaluation)).toHaveLength(4)
  })
})
