// The server of a model: a Deployment, its Service, and who may reach it.
import type { V1Container, V1ResourceRequirements } from '@kubernetes/client-node'
import type { ObjectMeta } from '../../../operator/api/object.ts'
import { ownedBy } from '../../../operator/meta/owner.ts'
import { CONTAINER_PROFILE, credentialsMount, podProfile, programContainer, programMounts, volumeMounts, WORK_ENV, WORK_MOUNT, type Mount, type PodProgram } from '../../jobs/program-pod.ts'
import { ownerUrl } from '../../jobs/identity.ts'
import type { DesiredDeployment, DesiredNetworkPolicy, DesiredService } from '../../shared/kinds.ts'
import { ROLE, roleLabels, UID, type Role } from '../../shared/labels.ts'
import { secretOf } from '../../shared/models.ts'
import { nodesOf } from '../../pools/nodes.ts'
import type { Pool } from '../../pools/pool.ts'
import type { Asker } from '../asker.ts'
import type { Resolved } from '../resolve.ts'
import { SERVER_PORT } from '../serving/engine.ts'
import { engines } from '../serving/engines.ts'
import { CACHE, cacheClaim, placeOf, servedModel, serverName } from '../serving/model.ts'
import { poolOf } from '../serving/pool.ts'
import type { Settings } from '../settings.ts'
import { servingInputsName } from './serving.ts'

/** The init container's name. */
export const FETCH = 'fetch'

const SERVE: Role = 'serve'
const PORT_NAME = 'http'
export const GRACE_SECONDS = 10 // nothing is kept; whoever asks it asks again
const START_PERIOD_SECONDS = 5
const START_SECONDS = 3600 // weights of many GB come from a slow disk
const READY_PERIOD_SECONDS = 5
const PROBE_SECONDS = 10 // it also answers while all its cores compute
const LOST_AFTER_PROBES = 6
const SHARED_MEMORY = '8Gi'
const MODEL_MOUNT: Mount = { path: '/models', volume: { name: 'models', emptyDir: {} } }

/** Pods that each fetch the model and serve it. A new one comes only once the old one is gone: it may hold all the memory there is. */
export function buildServer(asker: Asker, resolved: Resolved, settings: Settings): DesiredDeployment {
  const program = fetchProgram(asker, resolved, settings)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(asker),
    spec: {
      replicas: resolved.servingReplicas,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: podsOf(asker, SERVE) },
      template: {
        metadata: { labels: { ...roleLabels(asker, SERVE) } },
        spec: {
          ...podProfile(settings.trainer, GRACE_SECONDS),
          ...nodesOf(poolOf(asker, settings)),
          initContainers: [programContainer(program, FETCH)],
          containers: [serverContainer(asker, resolved, settings)],
          volumes: [...programMounts(program), ...sharedMemory(resolved)].map(({ volume }) => volume),
        },
      },
    },
  }
}

export function buildServerService(asker: Asker): DesiredService {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(asker),
    spec: { type: 'ClusterIP', selector: podsOf(asker, SERVE), ports: [{ name: PORT_NAME, port: SERVER_PORT, targetPort: PORT_NAME, protocol: 'TCP' }] },
  }
}

/** Only who asks the model reaches it: whoever does may also have it load another one, or forget this one. */
export function buildServerPolicy(asker: Asker): DesiredNetworkPolicy {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(asker),
    spec: {
      podSelector: { matchLabels: podsOf(asker, SERVE) },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: { matchLabels: podsOf(asker, 'generate') } }], ports: [{ port: SERVER_PORT, protocol: 'TCP' }] }],
    },
  }
}

function metadataOf(asker: Asker): ObjectMeta {
  return { namespace: asker.metadata.namespace ?? '', name: serverName(asker), labels: roleLabels(asker, SERVE), ownerReferences: [ownedBy(asker)] }
}

function podsOf({ metadata: { uid = '' } }: Asker, role: Role): Record<string, string> {
  return { [UID]: uid, [ROLE]: role }
}

function fetchProgram(asker: Asker, resolved: Resolved, settings: Settings): PodProgram {
  const secret = secretOf(servedModel(asker))
  return {
    owner: asker,
    module: 'swe_workloads.serving.fetch',
    image: settings.trainer.image,
    settings: settings.trainer,
    artifactsUrl: ownerUrl(settings.artifactsUrl, asker),
    inputs: servingInputsName(asker),
    gracePeriodSeconds: GRACE_SECONDS,
    resources: resourcesOf(resolved),
    mounts: [{ ...MODEL_MOUNT, writable: true }, ...modelCache(asker).map((mount): Mount => ({ ...mount, writable: true })), ...(secret === undefined ? [] : [credentialsMount('model', secret)])],
  }
}

/** It sees the model, and neither token nor credentials. */
function serverContainer(asker: Asker, resolved: Resolved, settings: Settings): V1Container {
  const engine = engines[resolved.servingEngine]
  const place = placeOf(asker, resolved)
  const httpGet = { path: engine.healthPath, port: PORT_NAME }
  return {
    name: SERVE,
    image: settings.serverImages[resolved.servingEngine],
    imagePullPolicy: settings.trainer.imagePullPolicy,
    command: [...engine.command(place)],
    env: [...WORK_ENV, ...engine.env(place), ...Object.entries(poolOf(asker, settings)?.env ?? {}).map(([name, value]) => ({ name, value }))],
    ports: [{ name: PORT_NAME, containerPort: SERVER_PORT, protocol: 'TCP' }],
    startupProbe: { httpGet, periodSeconds: START_PERIOD_SECONDS, timeoutSeconds: PROBE_SECONDS, failureThreshold: START_SECONDS / START_PERIOD_SECONDS },
    readinessProbe: { httpGet, periodSeconds: READY_PERIOD_SECONDS, timeoutSeconds: PROBE_SECONDS, failureThreshold: LOST_AFTER_PROBES },
    resources: withGpus(resourcesOf(resolved), resolved, poolOf(asker, settings)),
    ...CONTAINER_PROFILE,
    volumeMounts: volumeMounts([WORK_MOUNT, MODEL_MOUNT, ...modelCache(asker), ...sharedMemory(resolved)]),
  }
}

function modelCache(asker: Asker): readonly Mount[] {
  const claimName = cacheClaim(asker)
  return claimName === undefined ? [] : [{ path: CACHE, volume: { name: 'model-cache', persistentVolumeClaim: { claimName } } }]
}

function resourcesOf({ servingCpu: cpu, servingMemory: memory }: Resolved): V1ResourceRequirements {
  return { requests: { cpu, memory }, limits: { memory } }
}

/** The one who serves has the GPUs; who fetches before is in the same pod. */
function withGpus(resources: V1ResourceRequirements, { servingEngine, servingGPUs }: Resolved, pool: Pool | undefined): V1ResourceRequirements {
  if (engines[servingEngine].runsOn === 'CPU' || pool?.gpu === undefined) return resources
  return { ...resources, limits: { ...resources.limits, [pool.gpu.resource]: String(servingGPUs) } }
}

/** Between the processes of one server, one for each GPU; it counts against the memory. */
function sharedMemory({ servingEngine }: Resolved): readonly Mount[] {
  if (engines[servingEngine].runsOn === 'CPU') return []
  return [{ path: '/dev/shm', volume: { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: SHARED_MEMORY } }, writable: true }]
}
