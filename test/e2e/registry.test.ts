// Images that the node does not have: the only file here in which a kubelet pulls.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FIXTURE_INSTANCES, fixtureEval, imageOf, openEvaluations, readEval, resultsOf, SMALL_SANDBOX, untilEvalIs } from '../world/evaluations.ts'
import { openRegistry, type LocalRegistry } from '../world/local-registry.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

const NAMESPACE = 'e2e-registry'
const INSTANCE = 'jpvanhal__inflection-2'
const SECONDS = 300
const ASKS_OF_A_PULL = 6 // containerd asks so often itself before it tells the kubelet

describe('a registry', () => {
  const { site } = stage()
  const place = { site, namespace: NAMESPACE }
  let registry: LocalRegistry

  beforeAll(async () => {
    await openEvaluations(place, (line) => console.log(line))
    registry = await openRegistry(site, { image: await imageOf(place, INSTANCE), refusals: 2 * ASKS_OF_A_PULL })
  })
  afterAll(() => registry?.close())

  it('that answers 429 is left alone and named, and no patch is blamed for it', async () => {
    await site.kube.apply(fixtureEval('patient', NAMESPACE, {
      instances: { ...FIXTURE_INSTANCES, select: { instanceIds: [INSTANCE] } },
      images: { template: `${registry.host}/swe-operator/{instance_id_1776}:latest` },
      sandbox: { ...SMALL_SANDBOX, isolation: 'BestEffort', network: 'Allow' },
    }))
    const blocked = await until('the registry is named', SECONDS, async () => (await readEval(place, 'patient'))?.status?.progress?.blocked)
    expect(blocked).toMatch(new RegExp(`^registry ${registry.host} answers 429 Too Many Requests; no further image is pulled from it until \\d\\d:\\d\\d:\\d\\dZ$`))
    const evaluation = await untilEvalIs(place, 'patient', 'Succeeded', SECONDS)
    expect(evaluation.status).toMatchObject({ counts: { submitted: 1, resolved: 1 }, resolved: { network: 'Allow' } })
    const [result] = await resultsOf(site, evaluation)
    expect(result).toMatchObject({ state: 'Resolved', attempt: 1, image: expect.stringMatching(/@sha256:[0-9a-f]{64}$/) })
  })
})
