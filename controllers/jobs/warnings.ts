import { resourceType, type KubeObject } from '../../operator/api/object.ts'
import type { Client } from '../../operator/api/resource.ts'
import { secondsLeft } from './backoff.ts'
import { newestPod, type Child } from './children.ts'
import { hasStarted, troubleOf } from './trouble.ts'

type KubeEvent = KubeObject & Readonly<{
  reason?: string
  message?: string
  lastTimestamp?: string | null
  eventTime?: string | null
  series?: Readonly<{ lastObservedTime?: string }> | null
}>

/** Reads the complaints that Kubernetes itself records as events. */
export type WarningReader = Readonly<{
  /** The newest warning that says why the object does not come to life; undefined if there is none. */
  latest(object: KubeObject): Promise<string | undefined>
}>

const EventType = resourceType<KubeEvent>({ apiVersion: 'v1', kind: 'Event', plural: 'events', scope: 'Namespaced' })
const TELLING = new Set(['FailedCreate', 'FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'])

export function createWarningReader(client: Pick<Client, 'list'>): WarningReader {
  return {
    async latest({ metadata: { namespace = '', uid } }) {
      const fieldSelector = `involvedObject.uid=${uid},type=Warning`
      const { items } = await client.list(EventType, { namespace, fieldSelector })
      const telling = items.filter(({ reason }) => TELLING.has(reason ?? ''))
      return telling.toSorted((one, other) => timeOf(one).localeCompare(timeOf(other))).at(-1)?.message
    },
  }
}

function timeOf({ series, lastTimestamp, eventTime, metadata }: KubeEvent): string {
  return series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? ''
}

const PATIENCE_SECONDS = 10 // most pods start sooner; before that no event is worth a request

/** Kubernetes says in events alone why a Job gets no pod or a pod cannot mount what it names. */
export async function warningFor(child: Child | undefined, now: Date, warnings: WarningReader): Promise<string | undefined> {
  if (!child || hasStarted(child) || troubleOf(child, undefined)) return undefined
  const waiting = newestPod(child) ?? child.job
  const isEarly = secondsLeft(waiting?.metadata.creationTimestamp, PATIENCE_SECONDS, now) > 0
  return waiting === undefined || isEarly ? undefined : warnings.latest(waiting)
}
