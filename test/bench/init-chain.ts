import { readFile } from 'node:fs/promises'
import { PIP_WITHOUT_NETWORK, PREDICTION, UNTRUSTED } from '../../controllers/swebench-eval/resources/sandbox-pod.ts'
import { SMALL_SANDBOX } from '../world/evaluations.ts'
import type { Place } from '../world/site.ts'

const PROGRAM = 'init-chain'
const HARNESS = ['python', '/program/init_chain.py']
const mounts = [{ name: 'swe', mountPath: '/swe' }, { name: 'work', mountPath: '/work' }]

/** The program of the chain's two trusted containers, and the input of the prediction that it grades. */
export async function shipChain({ site, namespace }: Place, input: string): Promise<void> {
  const data = { 'init_chain.py': await readFile('test/fixtures/init_chain.py', 'utf8'), 'input.json': input }
  await site.kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: PROGRAM, namespace }, data })
}

/** A pod that does what a sandbox does, one container after the other. */
export function chainOf({ site, namespace }: Place, { name, image }: Readonly<{ name: string; image: string }>): object {
  const { cpu, memory, ephemeralStorage } = SMALL_SANDBOX.resources
  const trusted = (part: string): object => ({
    name: part,
    image: site.images.harness,
    command: [...HARNESS, part, '/program/input.json'],
    env: [{ name: 'HOME', value: '/work' }, { name: 'TMPDIR', value: '/work' }],
    resources: { requests: { cpu: '50m', memory: '128Mi' }, limits: { memory: '2Gi' } },
    securityContext: { runAsNonRoot: true, runAsUser: 1000, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
    volumeMounts: [...mounts, { name: 'program', mountPath: '/program' }],
  })
  const test = {
    name: 'test',
    image,
    command: ['/bin/bash', '/swe/sandbox.sh'],
    env: PIP_WITHOUT_NETWORK,
    resources: { requests: { cpu, memory, 'ephemeral-storage': ephemeralStorage }, limits: { memory, 'ephemeral-storage': ephemeralStorage } },
    securityContext: UNTRUSTED,
    volumeMounts: mounts,
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { [PREDICTION]: '0' } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      initContainers: [trusted('stage'), test],
      containers: [trusted('grade')],
      volumes: [{ name: 'swe', emptyDir: {} }, { name: 'work', emptyDir: {} }, { name: 'program', configMap: { name: PROGRAM } }],
    },
  }
}
