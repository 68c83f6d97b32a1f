import type { SWEBenchEval } from '../../../crds/swebench-eval.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import type { DesiredNetworkPolicy } from '../../shared/kinds.ts'
import { childLabels, ROLE, type Role, UID } from '../../shared/labels.ts'
import type { Resolved } from '../resolve.ts'
import type { Settings } from '../settings.ts'

// As the chart labels the operator's own pods and namespaces label themselves.
const OPERATOR_PODS = { 'app.kubernetes.io/name': 'swe-operator', 'app.kubernetes.io/component': 'operator' }
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

export function networkPolicyName({ metadata }: SWEBenchEval): string {
  return `${metadata.name}-eval-sandboxes`
}

// Where clusters, their nodes and the metadata of clouds are: RFC 1918, 6598, 3927, 4193 and 4291.
const PRIVATE_V4 = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '169.254.0.0/16']
const PRIVATE_V6 = ['fc00::/7', 'fe80::/10']

/** Sandboxes are reached by nobody and reach the operator's endpoint alone: no DNS, no store, no other sandbox, no internet unless it is allowed. */
export function buildNetworkPolicy(evaluation: SWEBenchEval, { network }: Resolved, { operatorNamespace, endpointPort }: Settings): DesiredNetworkPolicy {
  const { namespace = '', uid = '' } = evaluation.metadata
  const operator = { namespaceSelector: { matchLabels: { [NAMESPACE_NAME]: operatorNamespace } }, podSelector: { matchLabels: OPERATOR_PODS } }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { namespace, name: networkPolicyName(evaluation), labels: childLabels(evaluation), ownerReferences: [ownedBy(evaluation)] },
    spec: {
      podSelector: { matchLabels: { [UID]: uid }, matchExpressions: [{ key: ROLE, operator: 'In', values: [...CONFINED] }] },
      policyTypes: ['Ingress', 'Egress'],
      egress: [{ to: [operator], ports: [{ port: endpointPort, protocol: 'TCP' }] }, ...(network === 'Allow' ? OUTSIDE : [])],
    },
  }
}

const CONFINED: readonly Role[] = ['sandbox', 'listener', 'probe']

const OUTSIDE = [
  { to: [{ ipBlock: { cidr: '0.0.0.0/0', except: PRIVATE_V4 } }, { ipBlock: { cidr: '::/0', except: PRIVATE_V6 } }] },
  { to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }], ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }] },
]
