// The floor that the operator is measured against, as its own process: told what to do by one message, it answers when it is done.
import { UID } from '../../controllers/shared/labels.ts'
import { resolve } from '../../controllers/swebench-eval/resolve.ts'
import { buildSandboxPod } from '../../controllers/swebench-eval/resources/sandbox-pod.ts'
import type { SWEBenchEval } from '../../crds/swebench-eval.ts'
import { runBareLoop } from './bare-loop.ts'
import { TEAM } from './kwok-cluster.ts'
import { imageOf } from './simulated-evaluation.ts'

export type BareOrder = Readonly<{ evaluation: SWEBenchEval; predictions: number; window: number }>

const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port, BENCH_SERVICE_ACCOUNT: directory = '' } = process.env

process.once('message', (order: BareOrder) => {
  void work(order).then((cpuSeconds) => process.send?.(cpuSeconds))
})
process.send?.('started')

/** The very pods that the operator would create. */
async function work({ evaluation, predictions, window }: BareOrder): Promise<number> {
  const settings = {
    harnessImage: 'registry.example.com/swe-operator/harness:0.1.0', trainer: { image: 'registry.example.com/swe-operator/trainer:0.1.0', imagePullPolicy: 'IfNotPresent' }, serverImages: { Transformers: 'registry.example.com/swe-operator/trainer:0.1.0', VLLM: 'docker.io/vllm/vllm-openai:v0.26.0', SGLang: 'docker.io/lmsysorg/sglang:v0.5.18' }, currency: 'USD', pools: [], imagePullPolicy: 'IfNotPresent', artifactsUrl: 'https://swe-operator-artifacts.swe-operator-system.svc:8443', progressUrl: 'https://swe-operator-progress.swe-operator-system.svc:8443',
    endpointHost: 'swe-operator-artifacts.swe-operator-system.svc', endpointPort: 8443, operatorNamespace: 'swe-operator-system', nameServers: [], bucket: 'swe-operator', caBundle: () => undefined,
  } as const
  const pods = Array.from({ length: predictions }, (_, ordinal) =>
    buildSandboxPod({ evaluation, resolved: resolve(evaluation, settings), settings, unit: { ordinal, attempt: 1 }, purpose: 'Grade', image: imageOf(ordinal), capability: 'c'.repeat(64), address: '10.96.0.10' }))
  const before = process.cpuUsage()
  await runBareLoop({ pods, namespace: TEAM, labelSelector: `${UID}=${evaluation.metadata.uid}`, window }, { server: `https://${host}:${port}`, directory })
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
