import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

/** A small S3 server for tests: one bucket, path style, signatures not checked. */
export type FakeS3 = Readonly<{
  endpoint: string
  objects: Map<string, string>
  requests: string[]
  /** The next request is answered with this instead. */
  answerNext(status: number, body: string): void
  close(): Promise<void>
}>

const PAGE = 3

export async function startFakeS3(bucket: string): Promise<FakeS3> {
  const objects = new Map<string, string>()
  const requests: string[] = []
  let forced: Readonly<{ status: number; body: string }> | undefined

  const server = createServer(async (request, response) => {
    const body = await text(request)
    const url = new URL(request.url ?? '/', 'http://s3')
    requests.push(`${request.method} ${url.pathname}`)
    const answer = forced ?? reply(objects, { method: request.method ?? '', url, bucket, body, once: request.headers['if-none-match'] === '*' })
    forced = undefined
    send(response, answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0

  return {
    endpoint: `http://127.0.0.1:${port}`, objects, requests,
    answerNext: (status, body) => void (forced = { status, body }),
    close: () => new Promise((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    }),
  }
}

type Ask = Readonly<{ method: string; url: URL; bucket: string; body: string; once: boolean }>
type Answer = Readonly<{ status: number; body: string }>

function reply(objects: Map<string, string>, { method, url, bucket, body, once }: Ask): Answer {
  const key = decodeURIComponent(url.pathname).slice(`/${bucket}/`.length)
  if (method === 'GET' && key === '') return { status: 200, body: listing(objects, url.searchParams) }
  if (method === 'PUT') {
    if (once && objects.has(key)) return { status: 412, body: '<Error><Code>PreconditionFailed</Code></Error>' }
    objects.set(key, body)
    return { status: 200, body: '' }
  }
  const held = objects.get(key)
  return held === undefined ? { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' } : { status: 200, body: held }
}

function listing(objects: Map<string, string>, query: URLSearchParams): string {
  const start = Number(query.get('continuation-token') ?? 0)
  const keys = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort()
  const page = keys.slice(start, start + PAGE)
  const contents = page.map((key) => `<Contents><Key>${escaped(key)}</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified><Size>${objects.get(key)?.length}</Size></Contents>`)
  const more = start + PAGE < keys.length
  return `<ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}${more ? `<NextContinuationToken>${start + PAGE}</NextContinuationToken>` : ''}</ListBucketResult>`
}

function escaped(key: string): string {
  return key.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&#x3E;')
}

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body)
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString('utf8')
}
