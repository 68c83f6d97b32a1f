import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import { buildInstanceImages, buildProImages, importInstanceImages, instancesDirectory, withLocalImages, withProImages } from '../cluster/instance-images.ts'
import { describe } from './describe.ts'
import { ensureNamespace, type Place, type Site } from './site.ts'
import { isFinal, untilIn } from './states.ts'
import { viewStore } from './store-view.ts'
import { until } from './until.ts'

/** The ConfigMap of the fixture's rows; its keys are their files. */
export const ROWS = 'instances'

/** The fixture instances in the format of SWE-bench, as `shipInstances` leaves them. */
export const FIXTURE_INSTANCES = { configMap: { name: ROWS, key: 'rows.swebench.jsonl' }, format: 'SWEBench' } as const
const PRO_ROWS = 'rows.swebenchpro.jsonl'

/** Of a specification: the fixture instances that are in SWE-bench Pro's format too. */
export const proInstances = { configMap: { name: ROWS, key: PRO_ROWS }, format: 'SWEBenchPro' }

/** An empty namespace that admits images of instances, with their rows in it, and no verdict of an earlier one of that name. */
export async function openEvaluations(place: Place, say: (line: string) => void): Promise<void> {
  const { kube } = place.site
  await kube.run(['delete', 'namespace', place.namespace, '--ignore-not-found', '--wait', '--timeout=180s'])
  await ensureNamespace(kube, place.namespace, 'baseline')
  await forgetVerdicts(place)
  await shipInstances(place, say)
}

/** A cluster keeps its store when it goes down, and a namespace its prefix there. */
async function forgetVerdicts({ site, namespace }: Place): Promise<void> {
  const store = await viewStore(site)
  try {
    await store.removeBelow(`s3://swe-operator/${namespace}/verdict-cache/`)
  } finally {
    await store.close()
  }
}

/** Builds the fixture instances' images, gives them to the cluster, and ships the rows of all formats as a ConfigMap. */
export async function shipInstances({ site, namespace }: Place, say: (line: string) => void): Promise<void> {
  const images = await buildInstanceImages(say)
  const proImages = await buildProImages(say)
  await importInstanceImages(site.cluster, [...images, ...proImages], say)
  const read = (name: string) => readFile(join(instancesDirectory, name), 'utf8')
  const files = await Promise.all(['rows.swebench.jsonl', 'rows.swesmith.jsonl'].map(async (name) => [name, withLocalImages(await read(name), images)] as const))
  files.push([PRO_ROWS, withProImages(await read(PRO_ROWS), proImages)])
  await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: ROWS, namespace }, data: Object.fromEntries(files) })
}

/** The shipped rows of some instances with images that are named by digest. Returns where they are. */
export async function shipPinned({ site, namespace }: Place, instances: readonly string[]): Promise<object> {
  const pinned = (await shippedRows({ site, namespace }, instances)).map(async (row) => JSON.stringify({ ...row, image: await site.cluster.images.nameByDigest(row.image) }))
  await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'pinned', namespace }, data: { 'rows.jsonl': (await Promise.all(pinned)).join('\n') } })
  return { configMap: { name: 'pinned', key: 'rows.jsonl' }, format: 'SWEBench' }
}

const rowSchema = z.looseObject({ instance_id: z.string(), image: z.string() })

/** The rows in the format of SWE-bench, as they were shipped. */
async function shippedFile({ site, namespace }: Place): Promise<string> {
  const shipped = await site.kube.get<{ data: Record<string, string> }>('configmap', ROWS, namespace)
  return shipped?.data['rows.swebench.jsonl'] ?? ''
}

/** Some of them. */
async function shippedRows(place: Place, instances: readonly string[]) {
  const rows = (await shippedFile(place)).trim().split('\n').map((line) => rowSchema.parse(JSON.parse(line)))
  return rows.filter((row) => instances.includes(row.instance_id))
}

/** The image of a shipped instance, as the build store and the node name it. Throws where it is not shipped. */
export async function imageOf(place: Place, instance: string): Promise<string> {
  const [row] = await shippedRows(place, [instance])
  if (row === undefined) throw new Error(`instance ${instance} is not among the shipped ones`)
  return row.image
}

/** A file of predictions of the fixture set, under its own name in the ConfigMap `predictions-<name>`. */
export async function shipPredictions({ site, namespace }: Place, name: string, file: string): Promise<void> {
  const data = { [file]: await readFile(join(instancesDirectory, file), 'utf8') }
  await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `predictions-${name}`, namespace }, data })
}

/** Mirrors that bring the images of `shipToStore`'s rows to where they are. */
export const MIRRORS = [{ prefix: 'registry.example/', replacement: 'localhost/' }]

/** The shipped rows, as a registry that is not there publishes them, and a file of predictions in the namespace's own prefix of the store. */
export async function shipToStore({ site, namespace }: Place, file: string): Promise<Readonly<{ rows: string; predictions: string }>> {
  const places = { rows: `s3://swe-operator/${namespace}/fixture/rows.swebench.jsonl`, predictions: `s3://swe-operator/${namespace}/fixture/${file}` }
  const store = await viewStore(site)
  try {
    await store.write(places.rows, (await shippedFile({ site, namespace })).replaceAll('"localhost/', '"registry.example/'))
    await store.write(places.predictions, await readFile(join(instancesDirectory, file), 'utf8'))
  } finally {
    await store.close()
  }
  return places
}

/** What the tests of a fixture instance need, and the limits that its expected verdicts hold for. */
export const SMALL_SANDBOX = { resources: { cpu: '100m', memory: '512Mi', ephemeralStorage: '1Gi' }, timeoutSeconds: 60 } as const

/** An evaluation of the fixture instances, small enough for two cores; `more` replaces whole spec fields. */
export function fixtureEval(name: string, namespace: string, more: Readonly<Record<string, unknown>> = {}): object {
  return {
    apiVersion: 'swe-operator.dev/v1alpha1',
    kind: 'SWEBenchEval',
    metadata: { name, namespace },
    spec: {
      instances: FIXTURE_INSTANCES,
      predictions: { gold: {} },
      sandbox: { ...SMALL_SANDBOX, isolation: 'BestEffort' }, // the local cluster enforces no NetworkPolicy, and its condition SandboxIsolated says so
      parallelism: 4,
      ...more,
    },
  }
}

export async function readEval({ site, namespace }: Place, name: string): Promise<SWEBenchEval | undefined> {
  return site.kube.get<SWEBenchEval>('swebencheval', name, namespace)
}

export function untilEvalIs(place: Place, name: string, state: string, seconds: number): Promise<SWEBenchEval> {
  return untilIn(place, { kind: 'swebencheval', name }, state, seconds)
}

/** Waits until so many predictions have ended, and fails at once when the evaluation has. */
export async function untilVerdicts(place: Place, name: string, count: number, seconds: number): Promise<void> {
  const verdictsIn = (evaluation: SWEBenchEval | undefined): number => (evaluation?.status?.counts?.completed ?? 0) + (evaluation?.status?.counts?.error ?? 0)
  await until(`evaluation ${name} has ${count} verdicts`, seconds, async () => {
    const evaluation = await readEval(place, name)
    if (isFinal(evaluation) && verdictsIn(evaluation) < count) throw new Error(`evaluation ${name} ended before`)
    return verdictsIn(evaluation) >= count
  }, () => describeEval(place, name))
}

const resultSchema = z.object({
  instance: z.string(), sample: z.int(), model: z.string(), state: z.string(), reason: z.string().nullish(), message: z.string().nullish(),
  integrity: z.object({ verdict: z.string(), reasons: z.array(z.string()) }).nullish(), attempt: z.int().optional(),
  votes: z.object({ gradings: z.int(), resolved: z.int(), flaky: z.string() }).optional(),
  looks: z.array(z.object({ purpose: z.string(), attempt: z.int(), outcome: z.string().optional() })).optional(),
  validity: z.string().optional(),
  image: z.string().optional(),
})
export type Result = z.infer<typeof resultSchema>

/** The report's table of predictions, or that of baselines. */
export async function resultsOf(site: Site, evaluation: SWEBenchEval, table = 'results.jsonl'): Promise<readonly Result[]> {
  return (await reportFileOf(site, evaluation, table)).trim().split('\n').map((line) => resultSchema.parse(JSON.parse(line)))
}

type Reported = Readonly<{ metadata: Readonly<{ name: string }>; status?: Readonly<{ artifacts?: readonly Readonly<{ name: string; uri: string }>[] | undefined }> | undefined }>

/** A file of a report by its name. */
export async function reportFileOf(site: Site, { metadata, status }: Reported, file: string): Promise<string> {
  const uri = status?.artifacts?.find(({ name }) => name === file)?.uri
  if (uri === undefined) throw new Error(`${metadata.name} has no ${file}`)
  const store = await viewStore(site)
  try {
    return (await store.read(uri)).toString()
  } finally {
    await store.close()
  }
}

export function describeEval(place: Place, name: string): Promise<string> {
  return describe(place, 'swebencheval', name)
}
