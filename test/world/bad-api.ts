// An external API of a model that misbehaves: the stand-in of the programs' own tests, in a pod of the trainer image.
import { readFile } from 'node:fs/promises'
import { restrictedJob } from './restricted-job.ts'
import type { Place } from './site.ts'
import { until } from './until.ts'

const NAME = 'bad-api'
const KEY_SECRET = 'api-key'
const KEY_FOLDER = '/etc/api-key'
const PROGRAM_FOLDER = '/etc/bad-api'
const PORT = 8080
const FILES = ['bad_chat_api.py', 'fake_chat_api.py']

export type BadApi = Readonly<{
  url: string
  model: string
  /** The Secret with its key. */
  keySecret: string
  /** By the stand-in's own count. */
  timesAsked(): Promise<number>
}>

/** Takes this key alone, and never answers prompts with `cursed` in them. */
export async function badApi({ site, namespace }: Place, { key, cursed }: Readonly<{ key: string; cursed: string }>): Promise<BadApi> {
  const { kube, images } = site
  const labels = { app: NAME }
  const files = await Promise.all(FILES.map(async (file) => [file, await readFile(`workloads/tests/${file}`, 'utf8')] as const))
  const command = ['python', `${PROGRAM_FOLDER}/bad_chat_api.py`, '--port', String(PORT), '--key-file', `${KEY_FOLDER}/OPENAI_API_KEY`, '--cursed', cursed]
  await kube.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name: KEY_SECRET, namespace }, stringData: { OPENAI_API_KEY: key } })
  await kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME, namespace }, data: Object.fromEntries(files) })
  await kube.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace }, spec: { selector: labels, ports: [{ port: PORT }] } })
  await kube.apply(restrictedJob({ namespace, name: NAME, image: images.trainer, command, labels, secret: { name: KEY_SECRET, path: KEY_FOLDER }, configMap: { name: NAME, path: PROGRAM_FOLDER } }))
  const timesAsked = async (): Promise<number> => Number(/asked (\d+) times\s*$/.exec(await kube.run(['logs', `job/${NAME}`, '-n', namespace]))?.[1])
  await until('the API listens', 240, () => timesAsked().then((times) => times === 0, () => false))
  return { url: `http://${NAME}.${namespace}.svc:${PORT}/v1`, model: 'team/model', keySecret: KEY_SECRET, timesAsked }
}
