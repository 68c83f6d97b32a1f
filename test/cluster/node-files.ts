import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pki, KeyPair } from './pki.ts'
import type { ClusterPlace } from './state.ts'

export const POD_CIDR = '10.88.0.0/16'
export const DNS_SERVICE_ADDRESS = '10.96.0.10'
export const PAUSE_IMAGE = 'localhost/swe-operator/pause:1'
export const NODE_NAME = 'node-1'

/** What the files of a node are made from. */
export type NodeFiles = Readonly<{
  place: ClusterPlace
  nodeAddress: string
  pki: Pki
  kubelet: KeyPair
  proxyKubeconfigPath: string
}>

export function containerdSocket(place: ClusterPlace): string {
  return join(place.runDirectory, 'containerd.sock')
}

/** Writes the configuration of containerd, CNI, kubelet and kube-proxy. */
export async function writeNodeFiles(files: NodeFiles): Promise<void> {
  const { place } = files
  await mkdir(join(place.directory, 'cni'), { recursive: true })
  await mkdir(join(place.directory, 'volumes'), { recursive: true })
  await mkdir(place.runDirectory, { recursive: true })
  const write = (name: string, content: string) => writeIfOther(join(place.directory, name), content)
  await write('containerd.toml', containerdConfig(place))
  await write('cni/10-bridge.conflist', JSON.stringify(cniConfig(place), undefined, 2))
  await write('kubelet.json', JSON.stringify(kubeletConfig(files), undefined, 2))
  await write('kube-proxy.json', JSON.stringify(proxyConfig(files), undefined, 2))
  // Pods reach names of the cluster and nothing beyond it.
  await write('resolv.conf', `nameserver ${files.nodeAddress}\n`)
  await write('Corefile', corefile(files))
}

/** Everything containerd makes lies below the cluster's own two directories, so that `down` can remove it. */
function containerdConfig(place: ClusterPlace): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  return `version = 2
root = "${place.directory}/containerd"
state = "${place.runDirectory}/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "${containerdSocket(place)}"
[plugins."io.containerd.internal.v1.opt"]
  path = "${place.directory}/containerd/opt"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  restrict_oom_score_adj = true
  [${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [${cri}.containerd.runtimes.runc.options]
      SystemdCgroup = false
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${place.directory}/cni"
`
}

function cniConfig(place: ClusterPlace): object {
  return {
    cniVersion: '1.0.0',
    name: place.namespace,
    plugins: [
      {
        type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, hairpinMode: true,
        ipam: { type: 'host-local', dataDir: join(place.runDirectory, 'ipam'), ranges: [[{ subnet: POD_CIDR }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  }
}

function kubeletConfig({ place, nodeAddress, pki, kubelet }: NodeFiles): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: nodeAddress,
    authentication: { x509: { clientCAFile: pki.caPath }, anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    tlsCertFile: kubelet.certPath,
    tlsPrivateKeyFile: kubelet.keyPath,
    containerRuntimeEndpoint: `unix://${containerdSocket(place)}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${place.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    maxPods: 250,
    clusterDNS: [DNS_SERVICE_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: join(place.directory, 'resolv.conf'),
    podLogsDir: join(place.directory, 'pod-logs'),
    volumePluginDir: join(place.directory, 'volume-plugins'),
    serializeImagePulls: false,
    // Images are imported, never pulled: once collected they would be gone for good.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    nodeStatusUpdateFrequency: '5s',
    readOnlyPort: 0,
  }
}

function proxyConfig({ proxyKubeconfigPath }: NodeFiles): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: proxyKubeconfigPath },
    mode: 'iptables',
    clusterCIDR: POD_CIDR,
    hostnameOverride: NODE_NAME,
    conntrack: { maxPerCore: 0 }, // a sysctl that a namespace may not write
  }
}

/** Two server blocks: a catch-all `template` in the first would answer for names of the cluster too. */
function corefile({ place, nodeAddress }: NodeFiles): string {
  return `cluster.local in-addr.arpa ip6.arpa {
  bind ${nodeAddress}
  errors
  ready ${nodeAddress}:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${join(place.directory, 'coredns.kubeconfig')}
    pods insecure
    ttl 5
  }
  cache 5
}
. {
  bind ${nodeAddress}
  template ANY ANY . {
    rcode NXDOMAIN
  }
}
`
}

/** kube-proxy ends when its configuration is written, even if nothing in it is new. */
async function writeIfOther(path: string, content: string): Promise<void> {
  const before = await readFile(path, 'utf8').catch(() => undefined)
  if (before !== content) await writeFile(path, content)
}
