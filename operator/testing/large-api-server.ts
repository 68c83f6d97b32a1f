import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * Runs as a worker, so that making the data does not disturb what is measured: lists `count` pods of some 4 KB in one
 * answer, then sends a change of each of them in one burst.
 */
const { count } = workerData as { count: number }
const pods = Array.from({ length: count }, (_, i) => JSON.stringify(aPod(i, '1000')))
const changes = Array.from({ length: count }, (_, i) => `${JSON.stringify({ type: 'MODIFIED', object: aPod(i, String(1001 + i)) })}\n`)

const server = createServer((request, response) => {
  if (request.url?.includes('watch=')) void sendAll(response, changes)
  else void sendList(response)
})
server.listen(0, '127.0.0.1', () => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})

async function sendList(response: ServerResponse): Promise<void> {
  response.write('{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1000"},"items":[')
  await sendAll(response, pods.map((pod, i) => (i === 0 ? pod : `,${pod}`)))
  response.end(']}')
}

async function sendAll(response: ServerResponse, parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    if (!response.write(part)) await new Promise((resolve) => response.once('drain', resolve))
  }
}

function aPod(i: number, resourceVersion: string): object {
  const fields = Object.fromEntries(Array.from({ length: 40 }, (_, f) => [`f:field-${f}`, { 'f:nested': {} }]))
  const managedFields = [{ manager: 'kubelet', operation: 'Update', fieldsType: 'FieldsV1', fieldsV1: { 'f:status': fields } }]
  const metadata = { name: `pod-${i}`, namespace: 'default', uid: `uid-${i}`, resourceVersion, labels: { app: 'x', index: String(i) }, managedFields }
  const env = Array.from({ length: 10 }, (_, e) => ({ name: `VARIABLE_${e}`, value: `a value of some length ${e}` }))
  const conditions = ['Ready', 'Initialized', 'PodScheduled', 'ContainersReady'].map((type) => ({ type, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }))
  return { metadata, spec: { containers: [{ name: 'main', image: 'registry/image:tag', env }] }, status: { phase: 'Running', conditions } }
}
