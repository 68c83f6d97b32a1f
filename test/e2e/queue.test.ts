// A real trainer under a queue: it is admitted, preempted and admitted again. A stand-in plays Kueue; see test/world/kueue-stand-in.ts.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programState } from '../../controllers/jobs/children.ts'
import type { Pod } from '../../controllers/shared/kinds.ts'
import { readTrainVerdict } from '../../controllers/training-run/verdicts.ts'
import { startKueueStandIn, type KueueStandIn } from '../world/kueue-stand-in.ts'
import { shipRows, rowsRun } from '../world/rows.ts'
import { describeRun, readRun, untilState, untilStep } from '../world/runs.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const NAME = 'queued'
const JOB = `${NAME}-a1`
const flavor = { name: 'any', nodeLabels: { 'kubernetes.io/os': 'linux' }, tolerations: [] }

describe('a run that Kueue preempts', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let kueue: KueueStandIn

  beforeAll(async () => {
    await shipRows(place)
    kueue = await startKueueStandIn(site.kube, namespace)
    await site.kube.apply(rowsRun(NAME, namespace, model, { compute: { cpu: '1', memory: '2Gi', queueName: 'night' } }))
  })

  afterAll(() => site.kube.run(['delete', 'crd', 'workloads.kueue.x-k8s.io']))

  it('waits for its turn without a training pod', async () => {
    await untilState(place, NAME, 'Queued', 300)
    await kueue.hold(JOB, { reason: 'WaitingForQuota', message: 'insufficient unused quota for cpu in flavor any, 1 more needed' })
    await until('the run tells what Kueue says', 180, async () => (await readyMessage()).includes('(WaitingForQuota): insufficient unused quota'))
    expect(await trainingPods()).toEqual([])
  })

  it('writes a checkpoint when its place is taken back, lets its pod go and waits', async () => {
    await kueue.admit(JOB, flavor)
    await untilStep(place, NAME, 12, 300)
    await kueue.evict(JOB, { reason: 'Preempted', message: 'Preempted to accommodate a workload' })
    await until('its pod is gone', 240, async () => (await trainingPods()).length === 0, () => describeRun(place, NAME))
    const run = await readRun(place, NAME)
    expect(run?.status).toMatchObject({ state: 'Queued', attempts: [{ number: 1, state: 'Running', earlierPods: [{ fromStep: 0 }] }] })
    expect(run?.status?.attempts?.[0]?.earlierPods?.[0]?.lastStep).toBeGreaterThanOrEqual(12)
  })

  it('continues from that checkpoint in the same attempt, and ends with one row', async () => {
    const stoppedAt = (await readRun(place, NAME))?.status?.attempts?.[0]?.earlierPods?.[0]?.lastStep
    await kueue.admit(JOB, flavor)
    const run = await untilState(place, NAME, 'Succeeded', 400)
    expect(run.status?.attempts).toMatchObject([{ number: 1, job: JOB, state: 'Completed', fromStep: 0, lastStep: 40 }])
    const [name] = await trainingPods()
    const pod = await site.kube.get<Pod & { metadata: { uid: string } }>('pod', name ?? '', namespace)
    expect(readTrainVerdict(programState(pod)?.terminated?.message).verdict?.fromStep).toBe(stoppedAt)
  })

  async function readyMessage(): Promise<string> {
    const run = await readRun(place, NAME)
    return run?.status?.conditions?.find(({ type }) => type === 'Ready')?.message ?? ''
  }

  async function trainingPods(): Promise<readonly string[]> {
    const pods = await site.kube.list('pods', { namespace, selector: `swe-operator.dev/training-run=${NAME},swe-operator.dev/role=train` })
    return pods.map(({ metadata }) => metadata.name)
  }
})
