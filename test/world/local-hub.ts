// A hub inside the cluster, in place of huggingface.co: the stand-in that the trainer image carries for its own tests.
import { restrictedJob, type Program } from './restricted-job.ts'
import type { Place } from './site.ts'
import { until } from './until.ts'

const NAME = 'local-hub'
const TOKEN = 'hf_of_the_tests'

export const HUB_MODEL = 'team/tiny'
export const HUB_ROWS = 'team/rows'
export const HUB_INSTANCES = 'team/instances'
export const HUB_TOKEN_SECRET = 'hub-token'
/** Where those who have the token may publish: there is none yet. */
export const HUB_TUNED = 'team/tuned'

const ROWS = `
import pathlib, pyarrow as pa, pyarrow.parquet as pq
folder = pathlib.Path('/work/hub/datasets/${HUB_ROWS}/data')
folder.mkdir(parents=True)
rows = [{'prompt': f'Fix the bug number {n} in module_{n % 7}.', 'completion': f'-value = {n}\\n+value = {n + 1}'} for n in range(60)]
pq.write_table(pa.Table.from_pylist(rows), folder / 'train-00000-of-00001.parquet')
`

const INSTANCES_FOLDER = '/etc/instances'
const instancesScript = (key: string): string => `
import json, pathlib, pyarrow as pa, pyarrow.parquet as pq
folder = pathlib.Path('/work/hub/datasets/${HUB_INSTANCES}/data')
folder.mkdir(parents=True)
rows = [json.loads(line) for line in open('${INSTANCES_FOLDER}/${key}')]
pq.write_table(pa.Table.from_pylist(rows), folder / 'test-00000-of-00001.parquet')
`

/** Serves a tiny model, which needs the token, and 60 rows in parquet. Returns the endpoint. */
export async function openHub(place: Place): Promise<string> {
  return serve(place, { dataset: HUB_ROWS, gated: HUB_MODEL, making: [`python -m swe_workloads.tiny_model /work/hub/models/${HUB_MODEL}`, pythonOf(ROWS)] })
}

/** Serves the jsonl in one key of a ConfigMap in parquet, as the split test and to those who have the token. Returns the endpoint. */
export async function openInstancesHub(place: Place, { name, key }: Readonly<{ name: string; key: string }>): Promise<string> {
  return serve(place, { dataset: HUB_INSTANCES, gated: HUB_INSTANCES, making: [pythonOf(instancesScript(key))], configMap: { name, path: INSTANCES_FOLDER } })
}

function pythonOf(script: string): string {
  return `python - <<'PYTHON'${script}PYTHON`
}

type Offer = Readonly<{ dataset: string; gated: string; making: readonly string[] }> & Pick<Program, 'configMap'>

async function serve({ site, namespace }: Place, { dataset, gated, making, ...mounts }: Offer): Promise<string> {
  const labels = { app: NAME }
  const command = ['sh', '-ec', [...making, `exec python tests/fake_hub.py --root /work/hub --port 8080 --token ${TOKEN} --gated ${gated}`].join('\n')]
  await site.kube.run(['delete', 'job', NAME, '-n', namespace, '--ignore-not-found', '--wait'])
  await site.kube.apply(restrictedJob({ namespace, name: NAME, image: site.images.trainer, workingDir: '/opt/swe-workloads', command, labels, ...mounts }))
  await site.kube.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace }, spec: { selector: labels, ports: [{ port: 8080 }] } })
  await site.kube.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: HUB_TOKEN_SECRET, namespace }, stringData: { HF_TOKEN: TOKEN } })
  await until('the hub answers', 240, () => site.kube.run(['get', '--raw', `/api/v1/namespaces/${namespace}/services/${NAME}:8080/proxy/api/datasets/${dataset}`]).then(() => true, () => false))
  return `http://${NAME}.${namespace}.svc:8080`
}

/** What the hub says of each commit that was written to it: which one, of which repository, who sees it, and all its files. */
export async function commitsOf({ site, namespace }: Place): Promise<readonly string[]> {
  const log = await site.kube.run(['logs', `job/${NAME}`, '-n', namespace])
  return log.split('\n').filter((line) => line.startsWith('Commit '))
}

export async function closeHub({ site, namespace }: Place): Promise<void> {
  await site.kube.run(['delete', `job/${NAME}`, `service/${NAME}`, '-n', namespace, '--ignore-not-found', '--wait=false'])
}
