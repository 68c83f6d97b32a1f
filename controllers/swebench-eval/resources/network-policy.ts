import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import type { KubeObject } from '../../../operator/api/object.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import { childLabels, ROLE, UID } from '../../shared/labels.ts'
import type { Settings } from '../settings.ts'

// As the chart labels the operator's own pods and namespaces label themselves.
const OPERATOR_PODS = { 'app.kubernetes.io/name': 'swe-operator', 'app.kubernetes.io/component': 'operator' }
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

export function networkPolicyName({ metadata }: SWEBenchEval): string {
  return `${metadata.name}-eval-sandboxes`
}

/** Sandboxes are reached by nobody and reach the operator's endpoint alone: no DNS, no store, no other sandbox, no internet. */
export function buildNetworkPolicy(evaluation: SWEBenchEval, { operatorNamespace, endpointPort }: Settings): KubeObject & Readonly<{ spec: unknown }> {
  const { namespace = '', uid = '' } = evaluation.metadata
  const operator = { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: operatorNamespace } }, podSelector: { matchLabels: OPERATOR_PODS } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace, name: networkPolicyName(evaluation), labels: childLabels(evaluation), ownerReferences: [ownedBy(evaluation)] },
    spec: {
      podSelector: { matchLabels: { [UID]: uid, [ROLE]: 'sandbox' } },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ to: [operator], ports: [{ port: endpointPort, protocol: 'TCP' }] }],
    },
  }
}
