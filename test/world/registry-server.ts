// A registry of one image, started by local-registry.ts inside the network of a cluster, where the node finds it on its own loopback.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const archiveSchema = z.tuple([z.object({ Config: z.string(), Layers: z.array(z.string()).min(1) })])

type Blob = Readonly<{ mediaType: string; digest: string; size: number; path: string }>

const [folder = '', port = '', refusals = ''] = process.argv.slice(2)
const [{ Config, Layers }] = archiveSchema.parse(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')))
const config = await blobOf(await renewed(Config), 'application/vnd.oci.image.config.v1+json')
const layers = await Promise.all(Layers.map((layer) => blobOf(layer, 'application/vnd.oci.image.layer.v1.tar')))
const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]))
const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptorOf(config), layers: layers.map(descriptorOf) })
const digest = `sha256:${createHash('sha256').update(manifest).digest('hex')}`
let refusalsLeft = Number(refusals)

createServer((request, response) => {
  const [, kind, reference = ''] = /^\/v2\/.+\/(manifests|blobs)\/([^/]+)$/.exec(request.url ?? '') ?? []
  console.log(new Date().toISOString(), request.method, request.url, kind === 'manifests' && refusalsLeft > 0 ? 429 : 200)
  if (kind === 'manifests') answerManifest(response, request.method === 'HEAD')
  else if (kind === 'blobs') answerBlob(response, blobs.get(reference))
  else response.writeHead(200).end()
}).listen(Number(port), '127.0.0.1')

function answerManifest(response: ServerResponse, isHead: boolean): void {
  if (refusalsLeft > 0) {
    refusalsLeft -= 1
    response.writeHead(429, { 'content-type': 'application/json' }).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}')
    return
  }
  response.writeHead(200, { 'content-type': MANIFEST, 'content-length': Buffer.byteLength(manifest), 'docker-content-digest': digest }).end(isHead ? undefined : manifest)
}

function answerBlob(response: ServerResponse, blob: Blob | undefined): void {
  if (blob === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': blob.size, 'docker-content-digest': blob.digest })
  createReadStream(blob.path).pipe(response)
}

/** Another image of the same layers: a kubelet that has pulled an image asks for it under all its other names too. */
async function renewed(name: string): Promise<string> {
  const document: object = z.looseObject({}).parse(JSON.parse(await readFile(join(folder, name), 'utf8')))
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...document, created: new Date().toISOString() }))
  return 'config.json'
}

async function blobOf(name: string, mediaType: string): Promise<Blob> {
  const path = join(folder, name)
  const sha256 = createHash('sha256')
  for await (const chunk of createReadStream(path)) sha256.update(chunk)
  return { mediaType, digest: `sha256:${sha256.digest('hex')}`, size: (await stat(path)).size, path }
}

function descriptorOf({ mediaType, digest: ofBlob, size }: Blob): object {
  return { mediaType, digest: ofBlob, size }
}
