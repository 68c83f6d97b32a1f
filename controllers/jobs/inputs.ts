// What the programs of an owner are told: a file, and the certificates that they trust. Their pods mount both.
import type { KubeObject } from '../../operator/api/object.ts'
import { sameJson } from '../../operator/meta/hash.ts'
import { ownedBy } from '../../operator/meta/owner.ts'
import type { ConfigMap } from '../shared/kinds.ts'
import { childLabels, type Owner } from '../shared/labels.ts'

export type Inputs = Readonly<{
  /** Of the ConfigMap. */
  name: string
  /** `run.json`; the programs refuse keys they do not know, so both sides change together. */
  file: Readonly<Record<string, unknown>>
  caBundle: string
}>

export function inputsOf(owner: Owner, { name, file, caBundle }: Inputs): ConfigMap {
  const { namespace = '' } = owner.metadata
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace, name, labels: childLabels(owner), ownerReferences: [ownedBy(owner)] },
    data: { 'run.json': `${JSON.stringify(file, undefined, 2)}\n`, 'ca.crt': caBundle },
  }
}

/** The inputs, where the cluster has others: after a rotation of the certificate, or when somebody deleted them. */
export function unlessSame(found: ConfigMap | undefined, desired: ConfigMap): readonly KubeObject[] {
  return found !== undefined && sameJson(found.data, desired.data) && sameJson(found.metadata.labels, desired.metadata.labels) ? [] : [desired]
}
