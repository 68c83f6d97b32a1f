// npm run chaos [-- --seed N --nights 10]: each night one run is struck once by every kill, in a random order at random steps.
import { parseArgs } from 'node:util'
import { randomInt } from 'node:crypto'
import { replaceOperator, strikeAt, untilOperatorReady, KILLS, type Kill } from '../world/kills.ts'
import { lossHistory, weightsSha256 } from '../world/outcome.ts'
import { rowsRun } from '../world/rows.ts'
import { untilState } from '../world/runs.ts'
import { openGround } from './ground.ts'
import { seeded } from './random.ts'

const NAMESPACE = 'chaos'
const STEPS = 240
const STRUCK_STEPS = 180 // the rest is left for the last strike to land: what is seen of a run is seconds old
const NIGHT_LIMIT_SECONDS = 900

const { values } = parseArgs({ options: { seed: { type: 'string' }, nights: { type: 'string', default: '10' } } })
const seed = Number(values.seed ?? randomInt(2 ** 31))
const random = seeded(seed)
console.log(`seed ${seed}; repeat with: npm run chaos -- --seed ${seed} --nights ${values.nights}`)

const { site, place, model, jobs } = await openGround(NAMESPACE)
const wanted = await outcome('undisturbed', [])
const failures: string[] = []
for (let night = 1; night <= Number(values.nights); night += 1) failures.push(...(await spend(night)))
for (const [run, most] of await jobs.stop()) if (most > 1) failures.push(`${run}: ${most} training Jobs were live at once`)
console.log(failures.length === 0 ? `all ${values.nights} nights ended like the undisturbed run` : failures.join('\n'))
process.exitCode = failures.length === 0 ? 0 : 1

async function spend(night: number): Promise<readonly string[]> {
  const order = [...KILLS].map((kill) => ({ kill, at: random() })).sort((a, b) => a.at - b.at)
  const strikes = order.map(({ kill }, index) => ({ kill, step: Math.floor(((index + random()) / order.length) * STRUCK_STEPS) + 1 }))
  console.log(`night ${night}: ${strikes.map((one) => `${one.kill} at step ${one.step}`).join(', ')}`)
  try {
    await replaceOperator(site)
    const got = await outcome(`night-${night}`, strikes)
    return got === wanted ? [] : [`night ${night}: ended with other losses or weights than the undisturbed run`]
  } catch (error) {
    return [`night ${night}: ${String(error)}`]
  }
}

async function outcome(name: string, strikes: readonly Readonly<{ kill: Kill; step: number }>[]): Promise<string> {
  await site.kube.run(['delete', 'trainingrun', name, '-n', NAMESPACE, '--ignore-not-found', '--wait'])
  await site.kube.apply(rowsRun(name, NAMESPACE, model, { duration: { maxSteps: STEPS }, retries: { limit: 10 } }))
  for (const one of strikes) await strikeAt(place, name, one, NIGHT_LIMIT_SECONDS)
  const run = await untilState(place, name, 'Succeeded', NIGHT_LIMIT_SECONDS)
  await untilOperatorReady(site)
  return JSON.stringify([weightsSha256(run), await lossHistory(site, run)])
}
