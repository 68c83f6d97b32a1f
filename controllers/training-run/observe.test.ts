import { describe, expect, it } from 'vitest'
import { SimulatedLife } from '../../test/world/simulated-life.ts'
import { trainingRunKinds, trainingRunPermissions } from './controller.ts'
import { PodType } from '../shared/kinds.ts'

describe('an observation', () => {
  it('asks Kubernetes for its complaints only about a pod that keeps one waiting', async () => {
    const life = new SimulatedLife()
    await life.settle()
    life.cluster.runJobController()
    await life.settle()
    expect(life.complaintsRead).toBe(0)
    life.cluster.seconds += 60
    await life.settle()
    expect(life.complaintsRead).toBeGreaterThan(0)
  })

  it('shows a missing ConfigMap by name', async () => {
    const life = new SimulatedLife()
    life.complaint = 'MountVolume.SetUp failed for volume "data" : configmap "rows" not found'
    await life.settle()
    life.cluster.runJobController()
    life.cluster.seconds += 60
    await life.settle()
    expect(life.status.state).toBe('WaitingForReference')
  })

  it('does not end with the store: it says so and looks again', async () => {
    const life = new SimulatedLife()
    life.storeIsDown = true
    const { again } = await life.reconcile()
    expect([life.status.state, again]).toEqual(['StoreUnavailable', 15])
  })
})

describe('what is kept of a pod in the cache', () => {
  const kind = trainingRunKinds.find(({ type }) => type === PodType)
  const labels = { 'swe-operator.dev/training-run': 'sft' }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team', name: 'p', labels }, spec: { nodeName: 'n', containers: [{ name: 'train' }] }, status: { phase: 'Running' } }

  it('is its metadata, node and status', () => {
    expect(kind?.project?.(pod)).toEqual({ ...pod, spec: { nodeName: 'n' } })
  })

  it('can be found by the name of its run, even when that is gone', () => {
    expect(kind?.indexes?.['trainingRun']?.(pod)).toEqual(['team/sft'])
  })
})

describe('the permissions', () => {
  it('reach no Secret, no exec and no log', () => {
    const resources = trainingRunPermissions.flatMap((rule) => rule.resources)
    expect(resources).not.toEqual(expect.arrayContaining([expect.stringMatching(/secrets|exec|attach|log|\*/)]))
    expect(trainingRunPermissions.flatMap(({ verbs }) => verbs)).not.toContain('*')
  })
})
