// Of a pod only what is read: it may have thousands of neighbours, each of which is told of five times.
import type { KubeObject } from '../../operator/api/object.ts'

const MANAGED_FIELDS = '"managedFields":['
const BEHIND_MANAGED_FIELDS = ']},"spec":{'
const BEHIND_CONTAINERS = '],"restartPolicy":"'

/**
 * The text of a pod, or of an event about one, without its managedFields, volumes and containers: three quarters of it,
 * which nobody reads. The API server writes the fields of a pod in the order of their Go types, with managedFields last
 * in the metadata and the containers before the rest of the specification; any other text is left as it is. What is
 * looked for begins with a quote or holds one, and within a string that would be escaped.
 */
export function trimPod(text: Buffer): Buffer {
  const fields = text.indexOf(MANAGED_FIELDS)
  const spec = fields < 0 ? -1 : text.indexOf(BEHIND_MANAGED_FIELDS, fields)
  const rest = text.lastIndexOf(BEHIND_CONTAINERS) // of the pod: those of single containers come before
  if (spec < 0 || rest < spec) return text
  return Buffer.concat([text.subarray(0, fields + MANAGED_FIELDS.length), text.subarray(spec, spec + BEHIND_MANAGED_FIELDS.length), text.subarray(rest + '],'.length)])
}

type Cached = KubeObject & Readonly<{ spec?: Readonly<{ nodeName?: string }>; status?: unknown }>

/** Of its specification the node alone. */
export function projectPod({ apiVersion, kind, metadata, spec, status }: Cached): Cached {
  return { apiVersion, kind, metadata, spec: spec?.nodeName === undefined ? {} : { nodeName: spec.nodeName }, status }
}
