// The part of Kueue's webhook that Jobs meet, as a server of its own on loopback: a Job that names a queue starts suspended.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { z } from 'zod'
import { QUEUE_LABEL } from '../../controllers/jobs/queue-labels.ts'
import { openPki } from '../cluster/pki.ts'
import type { Kube } from './kube.ts'

const PATH = '/mutate-batch-v1-job'

const reviewSchema = z.object({
  request: z.object({
    uid: z.string(),
    object: z.object({
      metadata: z.object({ name: z.string().default(''), labels: z.record(z.string(), z.string()).default({}) }),
      spec: z.object({ suspend: z.boolean().default(false) }),
    }),
  }),
})

/** The webhook stand-in; `suspended` names the Jobs that it had to suspend, because whoever created them had not. */
export type KueueWebhook = Readonly<{ suspended: readonly string[]; stop(): Promise<void> }>

/** Serves on a free loopback port, with a certificate made in `folder`, and registers with the API server. */
export async function startKueueWebhook(kube: Kube, folder: string): Promise<KueueWebhook> {
  const pki = await openPki(join(folder, 'webhook-pki'))
  const { certPath, keyPath } = await pki.issue('webhook', { commonName: 'kueue-stand-in', alternativeNames: ['IP:127.0.0.1'] })
  const suspended: string[] = []
  const server = createServer({ cert: await readFile(certPath), key: await readFile(keyPath) }, (request, response) => {
    void text(request).then((body) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer(reviewSchema.parse(JSON.parse(body)), suspended)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the webhook has no port')
  await kube.apply(configuration(`https://127.0.0.1:${address.port}${PATH}`, await readFile(pki.caPath)))
  return {
    suspended,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

type Review = z.infer<typeof reviewSchema>

function answer({ request: { uid, object: { metadata, spec } } }: Review, suspended: string[]): object {
  const mustSuspend = metadata.labels[QUEUE_LABEL] !== undefined && !spec.suspend
  if (mustSuspend) suspended.push(metadata.name)
  const change = [{ op: 'add', path: '/spec/suspend', value: true }]
  const patch = mustSuspend ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(change)).toString('base64') } : {}
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true, ...patch } }
}

function configuration(url: string, ca: Buffer): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'kueue-stand-in' },
    webhooks: [{
      name: 'mjob.kueue-stand-in.test',
      clientConfig: { url, caBundle: ca.toString('base64') },
      rules: [{ apiGroups: ['batch'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['jobs'] }],
      failurePolicy: 'Fail',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    }],
  }
}
