import { describe, expect, it } from 'vitest'
import { ended, outcome } from '../../test/world/planned.ts'
import { aPricedObservation, aRecord, completed, published, unpublished, type Observation } from '../../test/world/training-run.ts'
import { SimulatedLife } from '../../test/world/simulated-life.ts'
import { plan } from './plan.ts'
import { buildPublishInputs } from './resources/publish-inputs.ts'

const publish = { hub: { repo: 'team/tuned', tokenSecretRef: { name: 'hub' } } }
const running = { kind: 'Running' } as const
const refused = ended(unpublished(64, 'InvalidConfiguration'))
const away = ended(unpublished(74, 'EndpointUnavailable'))

/** Trained by one attempt, whose pod is gone. */
function trained(spec: Parameters<typeof aPricedObservation>[0] = { publish }): Observation {
  const record = aRecord(1, 'Completed', { seconds: 600, gpuSeconds: 600, cost: '0.6' })
  const seen = aPricedObservation(spec).withData().recorded(record).with({ result: completed(1) })
  return seen.inState('Publishing', { cost: { seconds: 600, gpuSeconds: 600, amount: '0.6000', currency: 'USD' } })
}

describe('a run whose result is to be published', () => {
  it('is not complete before it is, and lists its artifacts', () => {
    const seen = trained()
    expect(outcome(seen)).toMatchObject({ state: 'Publishing', writes: ['apply ConfigMap sft-inputs-publish', 'create Job sft-publish-1'] })
    expect(plan(seen).status).toMatchObject({ artifacts: [{ name: 'adapter/adapter_model.safetensors' }], progress: { percent: 100 } })
    expect(plan(seen).status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining({ type: 'Complete', status: 'False' })]) })
  })

  it('has the end of its training written down in the same pass', () => {
    const seen = aPricedObservation({ publish }).withData().attempt(1, ended(completed(1)), aRecord(1, 'Running'))
    expect(plan(seen).status).toMatchObject({ state: 'Publishing', attempts: [{ number: 1, state: 'Completed' }] })
  })

  it('tells the program what the training cost, which costs no more while it is published', () => {
    const { writes } = plan(trained().later(3600))
    const inputs = writes.flatMap((write) => (write.op === 'apply' ? [JSON.parse((write.object as { data?: Record<string, string> }).data?.['run.json'] ?? '')] : []))
    expect(inputs).toMatchObject([{ hub: { repo: 'team/tuned', endpoint: 'https://huggingface.co', private: true }, cost: { attempts: 1, seconds: 600, gpuSeconds: 600, amount: '0.6000', currency: 'USD' }, training: { method: 'SFT' } }])
  })

  it('has no more to pay, and nothing is estimated any more', () => {
    const seen = trained().inState('Publishing', { cost: { seconds: 600, gpuSeconds: 600, amount: '0.6000', currency: 'USD', estimatedSeconds: 700 } })
    expect(plan(seen).status).toMatchObject({ cost: { seconds: 600, amount: '0.6000' } })
    expect(plan(seen).status?.['cost']).not.toHaveProperty('estimatedSeconds')
  })

  it('says which pod does it', () => {
    const seen = trained().publishing(running)
    expect(outcome(seen)).toMatchObject({ state: 'Publishing', message: 'Pod sft-publish-1-xyz12 gives the result to the hub.' })
  })

  it('writes nothing where the cluster has all of it', () => {
    const seen = trained().publishing(running)
    const publishInputs = buildPublishInputs(seen.run, seen.resolved, { attempts: 1, cost: seen.run.status?.cost, gate: undefined }, seen.caBundle ?? '')
    expect(outcome(seen.with({ publishInputs })).writes).toEqual([])
  })

  it('is complete once it is, and says where', () => {
    const seen = trained().publishing(ended(published())).with({ published: published() })
    expect(outcome(seen)).toMatchObject({ state: 'Succeeded', message: expect.stringMatching(/^Trained 60 steps.*\. It is published at https:\/\/huggingface\.co\/team\/tuned\.$/) })
    expect(plan(seen).status).toMatchObject({ publish: { url: 'https://huggingface.co/team/tuned', revision: 'c'.repeat(40), publishedTime: '2026-01-01T12:00:00Z' } })
  })

  it('keeps what is recorded, whatever is left of the pod', () => {
    const there = { url: 'https://huggingface.co/team/tuned', revision: 'd'.repeat(40), publishedTime: '2026-01-01T11:00:00Z' }
    const seen = trained().inState('Publishing', { publish: there }).with({ published: published() })
    expect(plan(seen).status).toMatchObject({ state: 'Succeeded', publish: there })
  })

  it('is tried again soon by what may pass, and as often as an attempt', () => {
    const seen = trained().publishing(away)
    expect(outcome(seen)).toMatchObject({ state: 'Publishing', message: expect.stringContaining('EndpointUnavailable: The hub says no. It is tried again.'), again: 10 })
    expect(outcome(seen.later(10))).toMatchObject({ state: 'Publishing', writes: ['apply ConfigMap sft-inputs-publish', 'create Job sft-publish-2'] })
    expect(outcome(seen.publishing(away).publishing(away).publishing(away)).state).toBe('PublishFailed')
  })

  it('says what was the matter while it is tried again soon', () => {
    const seen = trained().publishing(away)
    const before = 'The try before: Publishing the result ended with EndpointUnavailable: The hub says no.'
    expect(outcome(seen.later(10)).message).toBe(`Publishing the result begins. ${before}`)
    expect(outcome(seen.publishing(running))).toMatchObject({ state: 'Publishing', message: `Pod sft-publish-2-xyz12 gives the result to the hub. ${before}` })
  })

  it('is Stalled after four tries, however often attempts may fail, and with every try that follows', () => {
    let seen = [1, 2, 3, 4].reduce((tried) => tried.publishing(away), trained({ publish, retries: { limit: 20 } }))
    expect(outcome(seen).state).toBe('PublishFailed')
    for (const pod of [away, refused, away]) {
      seen = seen.with({ publications: seen.publications.slice(-4) }) // as many as are kept
      expect(outcome(seen.publishing(running)).state).toBe('PublishFailed')
      seen = seen.publishing(pod)
      expect(outcome(seen).state).toBe('PublishFailed')
    }
  })

  it('stays Stalled while it is tried again, until a try succeeds', () => {
    const tried = trained().publishing(refused).publishing(running).inState('PublishFailed', {})
    const failure = 'Publishing the result ended with InvalidConfiguration: The hub says no. The result lies in the store; remove spec.publish to complete the run without.'
    expect(outcome(tried)).toMatchObject({ state: 'PublishFailed', message: `${failure} Pod sft-publish-2-xyz12 gives the result to the hub.` })
    expect(outcome(trained().publishing(refused).publishing(ended(unpublished(75, 'Preempted'))).inState('PublishFailed', {})).state).toBe('PublishFailed')
    expect(outcome(tried.with({ published: published() })).state).toBe('Succeeded')
  })

  it('is tried at once where nothing is left of the tries that failed', () => {
    expect(outcome(trained().inState('PublishFailed', {}))).toMatchObject({ state: 'PublishFailed', writes: ['apply ConfigMap sft-inputs-publish', 'create Job sft-publish-1'] })
  })

  it('is Stalled by what somebody must mend, with a remedy, and tried again later', () => {
    const seen = trained().publishing(refused)
    expect(outcome(seen)).toMatchObject({ state: 'PublishFailed', writes: [], again: 600, message: 'Publishing the result ended with InvalidConfiguration: The hub says no. The result lies in the store; remove spec.publish to complete the run without. The next try is at 2026-01-01T12:10:00Z.' })
    expect(outcome(seen.later(300))).toMatchObject({ message: outcome(seen).message, again: 300 })
    expect(plan(seen).status).toMatchObject({ conditions: expect.arrayContaining([expect.objectContaining({ type: 'Stalled', status: 'True' }), expect.objectContaining({ type: 'Failed', status: 'False' })]) })
    expect(outcome(seen.later(600))).toMatchObject({ state: 'PublishFailed', writes: ['apply ConfigMap sft-inputs-publish', 'create Job sft-publish-2'] })
  })

  it('leaves few Jobs behind, however long nobody helps', () => {
    const seen = [1, 2, 3, 4, 5, 6].reduce((tried) => tried.publishing(refused), trained())
    expect(outcome(seen.later(600)).writes).toEqual(['remove Job sft-publish-1', 'remove Job sft-publish-2', 'apply ConfigMap sft-inputs-publish', 'create Job sft-publish-7'])
  })

  it('is held before it is published, and not in the middle', () => {
    expect(outcome(trained().suspended())).toMatchObject({ state: 'Suspended', writes: [], message: expect.stringContaining('spec.suspend to false') })
    expect(outcome(trained().publishing(running).suspended()).state).toBe('Publishing')
  })

  it('is complete without once nobody wants it published', () => {
    const withoutPublish = (seen: Observation): Observation => {
      const { publish: _, ...spec } = seen.run.spec
      return seen.with({ run: { ...seen.run, spec } })
    }
    expect(outcome(withoutPublish(trained().publishing(refused))).state).toBe('Succeeded')
    expect(outcome(withoutPublish(trained().publishing(running)))).toMatchObject({ state: 'Publishing', writes: ['remove Job sft-publish-1'] })
  })

  it('waits for the store, which tells what came of it', () => {
    expect(outcome(trained().publishing(ended(published())).with({ storeTrouble: 'away' }))).toMatchObject({ state: 'StoreUnavailable', writes: [] })
  })

  it('is not published before its training is over', () => {
    expect(outcome(aPricedObservation({ publish }).withData().attempt(1, running)).state).toBe('Running')
    expect(outcome(trained({}))).toMatchObject({ state: 'Succeeded' })
  })
})

describe('the life of a run that publishes', () => {
  it('ends with its result on the hub', async () => {
    const life = new SimulatedLife({ publish })
    await life.goOn(20)
    expect([life.status.state, life.status.publish?.revision, life.status.artifacts?.length]).toEqual(['Succeeded', 'c'.repeat(40), 1])
  })

  it('finds what was published where the pod is gone that did', async () => {
    const life = new SimulatedLife({ publish })
    await life.goOn(20, 'Publishing')
    life.cluster.runJobController()
    life.runKubelet()
    life.store.set('publish', { verdict: published() })
    life.kill()
    life.cluster.jobs().forEach((job) => life.cluster.remove(job))
    await life.goOn(3)
    expect([life.status.state, life.status.publish?.revision]).toEqual(['Succeeded', 'c'.repeat(40)])
  })
})
