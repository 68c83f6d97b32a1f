import { createHash } from 'node:crypto'
import { AwsClient } from 'aws4fetch'
import { OPERATOR_NAMESPACE, type Site } from './site.ts'

/** What lies in the artifact store, seen by someone who holds its key. */
export type StoreView = Readonly<{
  /** The bytes of `s3://bucket/key`; throws when there are none. */
  read(uri: string): Promise<Buffer>
  write(uri: string, content: string): Promise<void>
  sha256(uri: string): Promise<string>
  /** The URIs that begin so; at most a thousand, which is what one listing has. */
  list(uri: string): Promise<readonly string[]>
  /** Removes all objects whose URIs begin so. */
  removeBelow(uri: string): Promise<void>
  close(): Promise<void>
}>

/** Opens a port-forward to the embedded store for as long as the view is open. */
export async function viewStore(site: Site): Promise<StoreView> {
  const secret = await site.kube.get<{ data: Record<string, string> }>('secret', 'swe-operator-store', OPERATOR_NAMESPACE)
  const plain = (key: string): string => Buffer.from(secret?.data[key] ?? '', 'base64').toString()
  const client = new AwsClient({ accessKeyId: plain('accessKeyId'), secretAccessKey: plain('secretAccessKey'), service: 's3', region: 'us-east-1' })
  const forward = await forwardedPort(site)
  const request = async (uri: string, init?: RequestInit): Promise<Buffer> => {
    const response = await client.fetch(`http://127.0.0.1:${forward.port}/${uri.replace(/^s3:\/\//, '')}`, init)
    if (!response.ok) throw new Error(`${uri}: ${response.status} ${await response.text()}`)
    return Buffer.from(await response.arrayBuffer())
  }
  const read = (uri: string): Promise<Buffer> => request(uri)
  return {
    read,
    write: async (uri, content) => void (await request(uri, { method: 'PUT', body: content })),
    sha256: async (uri) => createHash('sha256').update(await read(uri)).digest('hex'),
    list: (uri) => keysBelow(uri, request),
    removeBelow: async (uri) => {
      for (let found = await keysBelow(uri, request); found.length > 0; found = await keysBelow(uri, request)) for (const one of found) await request(one, { method: 'DELETE' })
    },
    close: forward.stop,
  }
}

/** At most a thousand URIs, which is what one listing has. */
async function keysBelow(uri: string, request: (uri: string) => Promise<Buffer>): Promise<readonly string[]> {
  const [, bucket = '', prefix = ''] = /^s3:[/]{2}([^/]+)[/](.*)$/.exec(uri) ?? []
  const listing = (await request(`s3://${bucket}?list-type=2&prefix=${encodeURIComponent(prefix)}`)).toString()
  return [...listing.matchAll(/<Key>([^<]+)<\/Key>/g)].map(([, key = '']) => `s3://${bucket}/${key}`)
}

function forwardedPort(site: Site): Promise<{ port: number; stop(): Promise<void> }> {
  return new Promise((resolve) => {
    const forward = site.kube.follow(['port-forward', '-n', OPERATOR_NAMESPACE, 'service/swe-operator-store', ':7070'], (line) => {
      const port = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
      if (port) resolve({ port: Number(port), stop: forward.stop })
    })
  })
}
