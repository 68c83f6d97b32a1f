// npm run chain-night [-- --seed N]: a PreferenceGen under which everything is killed makes the same samples and pairs as an undisturbed one.
import { readFile } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadAll } from 'js-yaml'
import { z } from 'zod'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { shipInstances } from '../world/evaluations.ts'
import { killOperator, untilOperatorReady } from '../world/kills.ts'
import { preferenceGen, untilPreferencesAre } from '../world/preferences.ts'
import { trainingRun, untilState } from '../world/runs.ts'
import { ensureNamespace, OPERATOR_NAMESPACE } from '../world/site.ts'
import { until } from '../world/until.ts'
import { chainOutcome, testedAgain } from './chain-outcome.ts'
import { openGround } from './ground.ts'
import { seeded } from './random.ts'

const NAMESPACE = 'chain-night'
const LIMIT_SECONDS = 900
const SAMPLES_PER_INSTANCE = 16 // enough that the model is still asked when the third strike lands
const KILLS = { 'operator': killsOperator, 'pod that asks': killsPod('generate'), 'pod that serves': killsPod('serve'), 'store': killsStore } as const

const { values } = parseArgs({ options: { seed: { type: 'string' } } })
const seed = Number(values.seed ?? randomInt(2 ** 31))
const random = seeded(seed)
console.log(`seed ${seed}; repeat with: npm run chain-night -- --seed ${seed}`)

const resources = loadAll(await readFile('config/samples/pipeline/pipeline.yaml', 'utf8')).map((one) => z.object({ kind: z.string(), metadata: z.object({ name: z.string() }), spec: z.looseObject({}) }).parse(one))
const { site, place, model } = await openGround(NAMESPACE)
await ensureNamespace(site.kube, NAMESPACE, 'baseline')
await shipInstances(place, console.log)
await site.kube.run(['delete', 'trainingruns,preferencegens', '--all', '-n', NAMESPACE, '--wait'])
await site.kube.apply(trainingRun('sft', NAMESPACE, { ...specOf('sft'), model: { s3: { uri: model } } }))
await untilState(place, 'sft', 'Succeeded', LIMIT_SECONDS)

const began = performance.now()
const wanted = await chainOutcome(place, await finish(await start('undisturbed')))
const span = (performance.now() - began) / 1_000
console.log(`undisturbed: ${wanted.samples.length} samples, ${wanted.pairs.trim().split('\n').length} pairs, ${span.toFixed(0)} s`)
const struck = await start('struck')
await strikes(struck)
const got = await chainOutcome(place, await finish(struck))
const again = testedAgain(got, wanted)
const failures = [
  ...(JSON.stringify(got.samples) === JSON.stringify(wanted.samples) ? [] : ['other samples than the undisturbed one']),
  ...(got.pairs === wanted.pairs ? [] : ['other pairs than the undisturbed one']),
  ...(got.storedTwice === 0 ? [] : [`${got.storedTwice} samples were made again though they were stored`]),
  ...(again === 0 ? [] : [`${again} verdicts more than the undisturbed one has: patches were tested again`]),
]
console.log(failures.length === 0 ? 'the same samples, seeds, patches and pairs; none was made or tested again' : failures.join('\n'))
process.exitCode = failures.length === 0 ? 0 : 1

function specOf(name: string): Readonly<Record<string, unknown>> {
  const found = resources.find(({ metadata }) => metadata.name === name)
  if (found === undefined) throw new Error(`the sample of a pipeline has no ${name}`)
  return found.spec
}

async function start(name: string): Promise<string> {
  const spec = z.looseObject({ generation: z.looseObject({ sampling: z.looseObject({}) }) }).parse(specOf('pairs'))
  const sampling = { ...spec.generation.sampling, samplesPerInstance: SAMPLES_PER_INSTANCE }
  await site.kube.apply(preferenceGen(name, NAMESPACE, { ...spec, generation: { ...spec.generation, sampling } }))
  return name
}

function finish(name: string): Promise<PreferenceGen> {
  return untilPreferencesAre(place, name, 'Succeeded', LIMIT_SECONDS)
}

/** Each kill once, in a random order, at random moments of the first two thirds, where most is still to be lost. */
async function strikes(name: string): Promise<void> {
  const order = Object.entries(KILLS).map(([what, kill]) => ({ what, kill, at: random() * span * 0.66 })).sort((a, b) => a.at - b.at)
  const from = performance.now()
  for (const { what, kill, at } of order) {
    await sleep(Math.max(0, at * 1_000 - (performance.now() - from)))
    await until(`the strike at the ${what}`, LIMIT_SECONDS, () => kill(name))
    console.log(`${((performance.now() - from) / 1_000).toFixed(0)} s: the ${what}`)
    await untilOperatorReady(site)
  }
}

async function killsOperator(): Promise<boolean> {
  await killOperator(site)
  return true
}

/** False while there is none, or when all is asked already: then there is nothing left to strike. */
function killsPod(role: string): (name: string) => Promise<boolean> {
  return async (name) => {
    const pods = await site.kube.list('pods', { namespace: NAMESPACE, selector: `swe-operator.dev/preference-gen=${name},swe-operator.dev/role=${role}` })
    if (pods.length === 0) return false
    await site.kube.run(['delete', 'pod', '-n', NAMESPACE, '--grace-period=0', '--force', '--ignore-not-found', ...pods.map(({ metadata }) => metadata.name)])
    return true
  }
}

async function killsStore(): Promise<boolean> {
  await site.kube.run(['delete', 'pod', '-n', OPERATOR_NAMESPACE, '-l', 'app.kubernetes.io/component=store', '--grace-period=0', '--force'])
  return true
}
