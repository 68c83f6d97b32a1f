// A run with a queue on a real API server with the real job controller. A stand-in plays Kueue, and the test plays the kubelet.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rolesFrom } from '../../charts/rbac.ts'
import { operatorPermissions } from '../../controllers/permissions.ts'
import type { Pod } from '../../controllers/shared/kinds.ts'
import { trainingRunController, trainingRunKinds } from '../../controllers/training-run/controller.ts'
import { createNodeReader } from '../../controllers/training-run/queue/nodes.ts'
import { createQueueReader } from '../../controllers/training-run/queue/workload.ts'
import type { TrainVerdict } from '../../controllers/training-run/verdicts.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { connect } from '../../operator/api/kubeconfig.ts'
import { createManager, type Manager } from '../../operator/manager.ts'
import { silentLog } from '../../operator/observe/log.ts'
import { realWorld } from '../../operator/world.ts'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'
import { kube, type Kube } from '../world/kube.ts'
import { startKueueStandIn, type Flavor, type KueueStandIn } from '../world/kueue-stand-in.ts'
import { startKueueWebhook, type KueueWebhook } from '../world/kueue-webhook.ts'
import { aPrepareVerdict, aTrainingRun, completed, preempted, settings } from '../world/training-run.ts'
import { until } from '../world/until.ts'

const TEAM = 'team'
const SYSTEM = 'swe-operator-system'
const JOB = 'sft-a1'
const OPERATOR = 'swe-operator-under-test'
const PATIENCE_SECONDS = 90 // the operator looks at a queue every 15 s, and the machine may be busy
const flavor: Flavor = { name: 'a100', nodeLabels: { 'example.com/gpu': 'a100' }, tolerations: [{ key: 'example.com/gpu', operator: 'Exists', effect: 'NoSchedule' }] }
const pool = { name: 'a100', nodeSelectorTerms: [], nodeSelector: { 'example.com/gpu': 'a100' }, tolerations: [], env: {}, pricePerPodHour: '3.6' }

let plane: ControlPlane
let api: Kube
let operator: Manager
let kueue: KueueStandIn
let webhook: KueueWebhook
let folder: string
let result: TrainVerdict | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swe-operator-kueue-'))
  plane = await startControlPlane({ name: 'kueue', controllers: 'ControllerManager' })
  api = kube(plane.binaries.kubectl, plane.kubeconfigPath)
  await api.run(['apply', '--server-side', '-f', join(import.meta.dirname, '../../crds/generated')])
  for (const name of [SYSTEM, TEAM]) await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  await api.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels: flavor.nodeLabels } })
  await until('trainingruns are served and Jobs can have pods', PATIENCE_SECONDS, async () => (await api.list('trainingruns'), await api.get('serviceaccount', 'default', TEAM)))
  webhook = await startKueueWebhook(api, folder)
  operator = await startOperator()
})

afterAll(async () => {
  await operator?.stop()
  await webhook?.stop()
  await plane?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** With the rights of the chart and no others. */
async function startOperator(): Promise<Manager> {
  const { clusterScoped, watched, own } = rolesFrom(operatorPermissions)
  await api.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: OPERATOR }, rules: [...clusterScoped, ...watched, ...own] })
  const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: OPERATOR }]
  await api.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: OPERATOR }, subjects, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: OPERATOR } })
  const { kubeconfigPath } = await plane.user({ commonName: OPERATOR })
  const connection = await connect({ world: realWorld, env: {}, kubeconfig: kubeconfigPath })
  const client = () => manager.runtime.client
  const queue = { of: (job: Parameters<ReturnType<typeof createQueueReader>['of']>[0]) => createQueueReader(client(), realWorld).of(job) }
  const nodes = { labelsOf: (name: string) => createNodeReader(client(), realWorld).labelsOf(name) }
  const store = { dataManifest: async () => ({ verdict: aPrepareVerdict() }), attemptVerdict: async () => undefined, resultManifest: async () => result && { verdict: result }, publishManifest: async () => undefined }
  const sources = { settings: { ...settings, pools: [pool] }, store, progress: { of: () => undefined, paceOf: () => undefined }, warnings: { latest: async () => undefined }, queue, nodes }
  const manager = createManager({
    connection, world: realWorld, log: silentLog, leaseName: 'swe-operator-leader', fieldManager: 'swe-operator', kinds: trainingRunKinds,
    pod: { name: 'swe-operator-0', uid: 'u0', namespace: SYSTEM }, controllers: [trainingRunController(sources)], http: { host: '127.0.0.1', port: 0 },
  })
  await manager.start()
  return manager
}

type Shown = TrainingRun & Readonly<{ metadata: Readonly<{ uid: string }> }>

async function run(): Promise<Shown | undefined> {
  return api.get<Shown>('trainingrun', 'sft', TEAM)
}

function message(of: TrainingRun | undefined): string {
  return of?.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
}

async function untilMessage(pattern: RegExp): Promise<Shown> {
  return until(`the run says ${String(pattern)}`, PATIENCE_SECONDS, async () => {
    const now = await run()
    return pattern.test(message(now)) && now
  }, async () => JSON.stringify((await run())?.status, undefined, 2))
}

type ShownJob = Readonly<{
  metadata: Readonly<{ name: string; uid: string; labels: Record<string, string>; managedFields: readonly Readonly<{ manager: string; fieldsV1: object }>[] }>
  spec: Readonly<{ suspend: boolean; template: Readonly<{ spec: Readonly<Record<string, unknown>> }> }>
  status?: Readonly<{ conditions?: readonly Readonly<{ type: string; status: string }>[] }>
}>

async function job(): Promise<ShownJob> {
  return until('the Job is there', PATIENCE_SECONDS, () => api.get<ShownJob>('job', JOB, TEAM))
}

type ShownPod = Pod & Readonly<{ metadata: Readonly<{ uid: string; labels?: Record<string, string>; finalizers?: string[] }> }>

/** The pod that is there for the Job and has not ended. */
async function podOf(besides: readonly string[] = []): Promise<ShownPod> {
  return until('the Job has a pod', PATIENCE_SECONDS, async () => {
    const pods = await api.list<ShownPod>('pods', { namespace: TEAM, selector: `job-name=${JOB}` })
    return pods.find(({ metadata }) => !besides.includes(metadata.name))
  })
}

/** As the scheduler and a kubelet do. */
async function startPod({ metadata: { name } }: ShownPod): Promise<void> {
  const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' } }
  await api.run(['create', '--raw', `/api/v1/namespaces/${TEAM}/pods/${name}/binding`, '-f', '-'], JSON.stringify(binding))
  await setStatus(name, 'Running', { running: { startedAt: new Date().toISOString() } })
}

/** Its program ends; a kubelet then confirms the deletion of a pod that is to go. */
async function endPod({ metadata: { name } }: ShownPod, verdict: TrainVerdict): Promise<void> {
  const now = new Date()
  const terminated = { exitCode: verdict.exitCode, reason: 'Ended', message: JSON.stringify(verdict), startedAt: new Date(now.getTime() - 100_000).toISOString(), finishedAt: now.toISOString() }
  await setStatus(name, verdict.exitCode === 0 ? 'Succeeded' : 'Failed', { terminated })
  const { metadata } = (await api.get<ShownPod>('pod', name, TEAM)) ?? {}
  if (metadata?.deletionTimestamp !== undefined) await api.run(['delete', 'pod', name, '-n', TEAM, '--force', '--grace-period=0', '--wait=false'])
}

async function setStatus(name: string, phase: string, state: object): Promise<void> {
  const status = { phase, containerStatuses: [{ name: 'train', image: 'x', imageID: '', ready: phase === 'Running', restartCount: 0, state }] }
  await api.run(['patch', 'pod', name, '-n', TEAM, '--subresource=status', '--type=strategic', '-p', JSON.stringify({ status })])
}

describe('a run with a queue', () => {
  let first: ShownPod

  it('says so where no Kueue answers', async () => {
    const { spec } = aTrainingRun({ compute: { queueName: 'a100', workloadPriorityClass: 'night' } })
    await api.apply({ apiVersion: 'swe-operator.dev/v1alpha1', kind: 'TrainingRun', metadata: { name: 'sft', namespace: TEAM }, spec })
    expect((await untilMessage(/No Kueue answers for Job sft-a1/)).status?.state).toBe('Queued')
  })

  it('has a Job with the labels of queue and priority, suspended from its creation', async () => {
    const { metadata, spec } = await job()
    expect(metadata.labels).toMatchObject({ 'kueue.x-k8s.io/queue-name': 'a100', 'kueue.x-k8s.io/priority-class': 'night' })
    expect([spec.suspend, webhook.suspended]).toEqual([true, []])
    expect(spec.template.spec).not.toHaveProperty('nodeSelector')
  })

  it("waits with Kueue's own words", async () => {
    kueue = await startKueueStandIn(api, TEAM)
    await kueue.hold(JOB, { reason: 'WaitingForQuota', message: "couldn't assign flavors to pod set main: insufficient unused quota for cpu in flavor a100, 1 more needed" })
    const { status } = await untilMessage(/It waits in LocalQueue a100 \(WaitingForQuota\): couldn't assign flavors/)
    expect(status).toMatchObject({ state: 'Queued', attempts: [{ number: 1, state: 'Running', seconds: 0 }] })
  })

  it('runs where Kueue says, and is priced by the node it got', async () => {
    await kueue.admit(JOB, flavor)
    first = await podOf()
    expect(first.spec).toMatchObject({ nodeSelector: flavor.nodeLabels })
    await startPod(first)
    const { status } = await untilMessage(/Attempt 1 runs in pod sft-a1-/)
    expect(status?.attempts).toMatchObject([{ number: 1, pod: first.metadata.name, node: 'node-1', pool: 'a100' }])
  })

  it('leaves to Kueue what is its own: no field of it has another owner', async () => {
    const { metadata }: ShownJob = JSON.parse(await api.run(['get', 'job', JOB, '-n', TEAM, '-o', 'json', '--show-managed-fields']))
    const ownersOf = (field: string) => metadata.managedFields.filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`"f:${field}"`)).map(({ manager }) => manager)
    expect([ownersOf('suspend'), ownersOf('nodeSelector'), ownersOf('tolerations')]).toEqual([['kueue'], ['kueue'], ['kueue']])
  })

  it('is the same attempt after Kueue took its place back, and its pod is let go', async () => {
    await kueue.evict(JOB, { reason: 'Preempted', message: 'Preempted to accommodate a workload (UID: 7) due to prioritization in the ClusterQueue' })
    await untilMessage(/Kueue took back its place \(Preempted\): .* write a last checkpoint/)
    await endPod(first, preempted(1, { from: 0, to: 25 }))
    await until('the pod is gone', PATIENCE_SECONDS, async () => (await api.get('pod', first.metadata.name, TEAM)) === undefined)
    const { status } = await untilMessage(/Kueue took back its place[^]*It waits in LocalQueue a100[.]$/)
    expect(status).toMatchObject({ state: 'Queued', attempts: [{ number: 1, state: 'Running', earlierPods: [{ name: first.metadata.name, node: 'node-1', pool: 'a100', fromStep: 0, lastStep: 25 }] }] })
    const { spec, status: { conditions = [] } = {} } = await job()
    expect([spec.suspend, conditions.filter(({ type, status: is }) => type === 'Failed' && is === 'True')]).toEqual([true, []])
    expect(spec.template.spec).not.toHaveProperty('nodeSelector')
  })

  it('goes on in a second pod of the same Job, and ends with one row', async () => {
    const { metadata } = await job()
    await kueue.admit(JOB, flavor)
    const second = await podOf([first.metadata.name])
    await startPod(second)
    await untilMessage(new RegExp(`Attempt 1 runs in pod ${second.metadata.name}`))
    result = completed(1, 25)
    await endPod(second, result)
    const done = await untilMessage(/Trained 60 steps in 1 attempt/)
    expect(done.status).toMatchObject({ state: 'Succeeded', attempts: [{ number: 1, state: 'Completed', fromStep: 0, lastStep: 60, earlierPods: [{ lastStep: 25 }] }] })
    expect([done.status?.attempts?.length, (await job()).metadata.uid]).toEqual([1, metadata.uid])
    const [row] = done.status?.attempts ?? []
    const [earlier] = row?.earlierPods ?? []
    expect([earlier?.cost, row?.seconds]).toEqual([(0.001 * (earlier?.seconds ?? 0)).toFixed(4), expect.any(Number)])
    expect(Number(row?.cost)).toBeCloseTo(0.001 * (row?.seconds ?? 0), 3)
  })

  it('never wrote to its Job after making it', async () => {
    const lines = (await readFile(plane.auditLogPath, 'utf8')).split('\n').filter(Boolean)
    const calls = lines.map((line): Call => JSON.parse(line)).filter(({ user, objectRef }) => user.username === OPERATOR && objectRef?.resource === 'jobs')
    expect([...new Set(calls.map(({ verb }) => verb))].filter((verb) => !['get', 'list', 'watch', 'create'].includes(verb))).toEqual([])
  })
})

type Call = Readonly<{ verb: string; user: Readonly<{ username: string }>; objectRef?: Readonly<{ resource: string }> }>

describe("the stand-in for Kueue's webhook", () => {
  it('suspends a Job that names a queue and is not suspended, and no other', async () => {
    const make = (name: string, labels: Readonly<Record<string, string>>) => api.apply({
      apiVersion: 'batch/v1', kind: 'Job', metadata: { name, namespace: TEAM, labels },
      spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } },
    })
    await make('with', { 'kueue.x-k8s.io/queue-name': 'a100' })
    await make('without', {})
    const suspended = await Promise.all(['with', 'without'].map(async (name) => (await api.get<ShownJob>('job', name, TEAM))?.spec.suspend))
    expect([suspended, webhook.suspended]).toEqual([[true, false], ['with']])
  })
})
