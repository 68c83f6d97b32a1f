// What the real API server says to every kind of TrainingRun manifest, through kubectl, as a user sees it.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts'
import { succeeds, waitUntil } from '../cluster/exec.ts'
import { complaints as complaintsOf, type Json, kubectl as kubectlOf, merged } from './manifests.ts'
import { accepted, acceptedChanges, gate, manifest, onlyRemoved, refused, refusedChanges } from './training-run-admission.rows.ts'

const definitions = join(import.meta.dirname, '../../crds/generated')
const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } } }
const gated = gate({ minResolvedRate: '0.3' })
const admitted = merged(merged(manifest, gated), { metadata: { name: 'admitted' }, spec: { budget: { maxCost: '250' }, evaluation: { everySteps: 20 }, lora: { targetModules: ['q_proj', 'v_proj'] }, publish } })

let cluster: ControlPlane

beforeAll(async () => {
  cluster = await startControlPlane({ name: 'admission' })
  await kubectl(['apply', '--server-side', '-f', definitions])
  await waitUntil('trainingruns are served', 60_000, () => succeeds(cluster.binaries.kubectl, ['--kubeconfig', cluster.kubeconfigPath, 'get', 'trainingruns']))
  await kubectl(['create', '-f', '-'], admitted)
})

afterAll(() => cluster?.stop())

describe('a manifest is accepted with', () => {
  it.each(accepted)('%s', async (_what, change) => {
    expect(await kubectl(['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toMatch(/^trainingrun.swe-operator.dev\/\S+ created \(server dry run\)\n$/)
  })
})

describe('a manifest is refused for', () => {
  it.each(refused)('%s', async (_what, change, ...says) => {
    expect(await complaints(['create', '--dry-run=server', '-f', '-'], merged(manifest, change))).toEqual([...says].sort())
  })

  it('a misspelled field by server-side apply, as Argo CD and Flux send it', async () => {
    const [complaint] = await complaints(['apply', '--server-side', '-f', '-'], merged(manifest, { spec: { modle: {} } }))
    expect(complaint).toContain('.spec.modle: field not declared in schema')
  })
})

describe('an admitted run can change', () => {
  it.each(acceptedChanges)('%s', async (_what, change) => {
    expect(await kubectl(patch(change, '--dry-run=server'))).toMatch(/^trainingrun.swe-operator.dev\/admitted patched/)
  })

  it('suspend there and back, which moves its generation', async () => {
    for (const [suspend, generation] of [[true, '2'], [false, '3']] as const) {
      await kubectl(patch({ spec: { suspend } }))
      expect(await kubectl(['get', 'trun', 'admitted', '-o', 'jsonpath={.metadata.generation}'])).toBe(generation)
    }
  })
})

describe('an admitted run cannot change so that', () => {
  it.each(refusedChanges)('%s', async (_what, change, ...says) => {
    expect(await complaints(patch(change, '--dry-run=server'))).toEqual([...says].sort())
  })

  it.each([
    ['it publishes what it was told not to publish', 'publish', { spec: { publish } }],
    ['it gets a gate', 'gate', gated],
  ] as const)('%s', async (_what, field, change) => {
    const name = `without-${field}`
    await kubectl(['create', '-f', '-'], merged(manifest, { metadata: { name } }))
    expect(await complaints(['patch', 'trun', name, '--type=merge', '--dry-run=server', '-p', JSON.stringify(change)])).toEqual([onlyRemoved(field)])
  })
})

describe('the status', () => {
  const now = '2026-01-02T03:04:05Z'
  const condition = { type: 'Ready', status: 'False', reason: 'Running', message: 'Attempt 1 trains.', lastTransitionTime: now, observedGeneration: 1 }
  const attempt = { number: 1, job: 'admitted-a1', startedTime: now, state: 'Running' }

  it('does not change with the resource, nor the specification with the status', async () => {
    await kubectl(patch({ status: { state: 'Succeeded' } }))
    await kubectl(patch({ spec: { seed: 7 }, status: { state: 'Pending' } }, '--subresource=status'))
    expect(await kubectl(['get', 'trun', 'admitted', '-o', 'jsonpath={.status.state} {.spec.seed}'])).toBe('Pending ')
  })

  it('is shown by kubectl get and found by a field selector', async () => {
    const status = { state: 'Running', conditions: [condition], progress: { attempt: 1, step: 30, totalSteps: 60, percent: 50, updatedTime: now, metrics: [{ name: 'loss', value: '1.25' }] }, loss: { first: '2.5', last: '1.25' }, cost: { seconds: 60, gpuSeconds: 60, amount: '0.05' }, attempts: [attempt] }
    await kubectl(patch({ status }, '--subresource=status'))
    const table = await kubectl(['get', 'swe', '--field-selector', 'status.state=Running', '-o', 'wide'])
    const [header = '', row = ''] = table.split('\n')
    expect(header.split(/ {2,}/)).toEqual(['NAME', 'STATE', 'PROGRESS%', 'LOSS', 'ATTEMPT', 'COST', 'AGE', 'STEP', 'STEPS', 'ETA', 'EVAL LOSS', 'MESSAGE'])
    expect(row).toMatch(/^trainingrun.swe-operator.dev\/admitted +Running +50 +1\.25 +1 +0\.05 +\d+s +30 +60 +Attempt 1 trains\.$/)
    expect(await kubectl(['get', 'trun', '--field-selector', 'status.state=Succeeded'])).toBe('')
  })

  it.each([
    ['more than everything done', { progress: { attempt: 1, step: 1, percent: 101, updatedTime: now } }, 'status.progress.percent: Invalid value: 101: progress.percent in body should be less than or equal to 100'],
    ['a condition without a reason', { conditions: [{ ...condition, reason: '' }] }, 'status.conditions[0].reason: Invalid value: "": conditions[0].reason in body should be at least 1 chars long'],
    ['the same condition twice', { conditions: [condition, condition] }, 'status.conditions[1]: Duplicate value: {"type":"Ready"}'],
    ['the same attempt twice', { attempts: [attempt, attempt] }, 'status.attempts[1]: Duplicate value: {"number":1}'],
    ['a digest that is none', { artifacts: [{ name: 'a', uri: 's3://b/c', sha256: 'A'.repeat(64), sizeBytes: 1, createdTime: now }] }, `status.artifacts[0].sha256: Invalid value: "${'A'.repeat(64)}": artifacts[0].sha256 in body should match '^[0-9a-f]{64}$'`],
  ])('is refused with %s', async (_what, status, says) => {
    expect(await complaints(patch({ status }, '--subresource=status'))).toEqual([says])
  })
})

describe('kubectl explain', () => {
  it('knows the unit, the default and an example', async () => {
    expect((await kubectl(['explain', 'trainingrun.spec.optimizer.learningRate'])).replaceAll(/\s+/g, ' ')).toContain('Peak learning rate, above 0 and at most 1, as a string such as "2e-4". Default: "2e-4", for full fine-tuning "2e-5"; with method DPO "5e-6" and "5e-7".')
  })
})

function patch(change: Json, ...flags: readonly string[]): string[] {
  return ['patch', 'trun', 'admitted', '--type=merge', '-p', JSON.stringify(change), ...flags]
}

function kubectl(args: readonly string[], input?: Json): Promise<string> {
  return kubectlOf(cluster, args, input)
}

function complaints(args: readonly string[], input?: Json): Promise<string[]> {
  return complaintsOf(cluster, args, input)
}
