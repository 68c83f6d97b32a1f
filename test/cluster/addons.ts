import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from './control-plane-commands.ts'
import type { Binaries } from './binaries.ts'
import { run } from './exec.ts'
import { DNS_SERVICE_ADDRESS, PAUSE_IMAGE } from './node-files.ts'
import type { ClusterPlace } from './state.ts'

const STORAGE_NAMESPACE = 'local-path'
const PROVISIONER = 'swe-operator.dev/local-path'

/** Tells the cluster about DNS and storage, whose programs run beside it. Repeating it changes nothing. */
export async function applyAddons(binaries: Binaries, place: ClusterPlace, nodeAddress: string): Promise<void> {
  await writeFile(join(place.directory, 'local-path.json'), JSON.stringify(pathMap(place)))
  await writeFile(join(place.directory, 'local-path-pod.json'), JSON.stringify(helperPod))
  const list = { apiVersion: 'v1', kind: 'List', items: [...dnsObjects(nodeAddress), ...storageObjects(place)] }
  const kubeconfig = join(place.directory, 'admin.kubeconfig')
  await run(binaries.kubectl, ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--force-conflicts', '-f', '-'], { input: JSON.stringify(list) })
}

export function localPathCommand(binaries: Binaries, place: ClusterPlace): Command {
  return [
    binaries['local-path-provisioner'], 'start', '--config', join(place.directory, 'local-path.json'),
    '--kubeconfig', join(place.directory, 'local-path.kubeconfig'), '--namespace', STORAGE_NAMESPACE, '--provisioner-name', PROVISIONER,
    '--helper-image', PAUSE_IMAGE, '--helper-pod-file', join(place.directory, 'local-path-pod.json'),
    '--configmap-name', 'local-path', '--service-account-name', 'default',
  ]
}

/** A Service without selector in front of the CoreDNS that runs as a process of the node. */
function dnsObjects(nodeAddress: string): object[] {
  const ports = [{ name: 'dns', port: 53, protocol: 'UDP' }, { name: 'dns-tcp', port: 53, protocol: 'TCP' }]
  return [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'kube-dns', namespace: 'kube-system' }, spec: { clusterIP: DNS_SERVICE_ADDRESS, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kube-dns-node', namespace: 'kube-system', labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
    },
  ]
}

function storageObjects(place: ClusterPlace): object[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: STORAGE_NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'local-path', namespace: STORAGE_NAMESPACE },
      data: {
        'config.json': JSON.stringify(pathMap(place)),
        setup: '#!/bin/sh\n/busybox mkdir -m 0777 -p "$VOL_DIR"\n',
        teardown: '#!/bin/sh\n/busybox rm -rf "$VOL_DIR"\n',
        'helperPod.yaml': JSON.stringify(helperPod),
      },
    },
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'local-path', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: PROVISIONER,
      volumeBindingMode: 'WaitForFirstConsumer',
      reclaimPolicy: 'Delete',
    },
  ]
}

function pathMap(place: ClusterPlace): object {
  return { nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: [join(place.directory, 'volumes')] }] }
}

const helperPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'helper-pod' },
  spec: { containers: [{ name: 'helper-pod', image: PAUSE_IMAGE, imagePullPolicy: 'IfNotPresent' }] },
}
