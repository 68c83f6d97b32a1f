import { resourceType, type KubeObject } from '../../operator/api/object.ts'
import type { Client } from '../../operator/api/resource.ts'

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
