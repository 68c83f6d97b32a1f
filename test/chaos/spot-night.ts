// npm run spot-night: a night on spot nodes in small. One run is preempted five times and runs out of money once.
import type { TrainingRun } from '../../crds/training-run.ts'
import { lossHistory, weightsSha256 } from '../world/outcome.ts'
import { preempt, PREEMPTIONS, type Preemption } from '../world/preemptions.ts'
import { rowsRun } from '../world/rows.ts'
import { describeRun, readRun, untilState } from '../world/runs.ts'
import { PRICED_CPU_POOL } from '../world/simulated-gpu.ts'
import { until } from '../world/until.ts'
import { openGround } from './ground.ts'

const NAMESPACE = 'spot-night'
const STEPS = 480
const LIMIT_SECONDS = 900
const FIRST_BUDGET = '0.07' // 70 seconds at the price of the pool: gone in the middle of an attempt, of which each takes about 25
const RAISED_BUDGET = '50'
const SOME_MORE = 0.022 // 22 seconds: the model loads and trains, but not up to the next preemption
const MORE_EACH_TIME = 0.004
const MICRO = 1_000_000 // amounts have six decimals

const { site, place, model, jobs } = await openGround(NAMESPACE)

const undisturbed = await finish(await start('undisturbed', {}))
let raises = 0
const night = await start('night', { budget: { maxCost: FIRST_BUDGET } })
for (const [index, preemption] of PREEMPTIONS.entries()) await strike(night, preemption, (index + 1) * Math.floor(STEPS / (PREEMPTIONS.length + 1)))
const run = await finish(night)

console.log(await site.kube.run(['get', 'trainingruns', '-n', NAMESPACE]))
console.table(run.status?.attempts?.map(({ number, state, reason, fromStep, lastStep, seconds, cost, node }) => ({ number, state, reason, fromStep, lastStep, seconds, cost, node })))
const failures = [...(await differences(undisturbed, run)), ...billing(run), ...rows(run)]
for (const [name, most] of await jobs.stop()) if (most > 1) failures.push(`${name}: ${most} training Jobs were live at once`)
console.log(failures.length === 0 ? `${PREEMPTIONS.length} preemptions and an empty budget: the same losses and weights, cost ${run.status?.cost?.amount} ${run.status?.cost?.currency}` : failures.join('\n'))
process.exitCode = failures.length === 0 ? 0 : 1

async function start(name: string, more: Readonly<Record<string, unknown>>): Promise<string> {
  await site.kube.run(['delete', 'trainingrun', name, '-n', NAMESPACE, '--ignore-not-found', '--wait'])
  const compute = { pool: PRICED_CPU_POOL, cpu: '1', memory: '2Gi' }
  await site.kube.apply(rowsRun(name, NAMESPACE, model, { duration: { maxSteps: STEPS }, compute, ...more }))
  return name
}

async function strike(name: string, preemption: Preemption, step: number): Promise<void> {
  await raisingBudget(name, `${name} trains at step ${step}`, ({ status }) => status?.state === 'Running' && (status.progress?.step ?? 0) >= step && status.progress?.attempt === status.attempts?.at(-1)?.number)
  const before = (await readRun(place, name))?.status?.attempts?.length ?? 0
  console.log(`${preemption} at step ${step} or soon after`)
  await preempt(preemption, place, name)
  await raisingBudget(name, `attempt ${before} of ${name} has ended`, ({ status }) => status?.attempts?.[before - 1]?.state !== 'Running')
}

async function finish(name: string): Promise<TrainingRun> {
  await raisingBudget(name, `${name} has ended`, ({ status }) => status?.conditions?.some(({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True') ?? false)
  return untilState(place, name, 'Succeeded', 30)
}

/** Waits, and gives the run more money when it stops for want of it: a little until an attempt has ended for that, then enough. */
async function raisingBudget(name: string, what: string, holds: (run: TrainingRun) => boolean): Promise<void> {
  await until(what, LIMIT_SECONDS, async () => {
    const now = await readRun(place, name)
    if (now !== undefined && isHeld(now)) await raise(now)
    return now !== undefined && holds(now)
  }, () => describeRun(place, name))
}

/** Whether it waits for money, and no attempt is still on its way out. */
function isHeld({ metadata, status }: TrainingRun): boolean {
  return status?.state === 'BudgetExceeded' && status.observedGeneration === metadata.generation && status.attempts?.at(-1)?.state !== 'Running'
}

async function raise({ metadata: { name }, status }: TrainingRun): Promise<void> {
  console.log(status?.conditions?.find(({ type }) => type === 'Ready')?.message)
  const some = Number(status?.cost?.amount) + SOME_MORE + MORE_EACH_TIME * raises++
  const maxCost = hasBroken({ status }) ? RAISED_BUDGET : some.toFixed(6)
  await site.kube.run(['patch', 'trainingrun', name, '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify({ spec: { budget: { maxCost } } })])
}

function hasBroken({ status }: Pick<TrainingRun, 'status'>): boolean {
  return status?.attempts?.some(({ reason }) => reason === 'BudgetExceeded') ?? false
}

async function differences(wanted: TrainingRun, got: TrainingRun): Promise<string[]> {
  const losses = await Promise.all([wanted, got].map((one) => lossHistory(site, one)))
  return [
    ...(weightsSha256(wanted) === weightsSha256(got) ? [] : ['the weights differ from those of the undisturbed run']),
    ...(JSON.stringify(losses[0]) === JSON.stringify(losses[1]) ? [] : ['the losses differ from those of the undisturbed run']),
  ]
}

function billing({ status }: TrainingRun): string[] {
  const sum = (of: (row: NonNullable<NonNullable<typeof status>['attempts']>[number]) => number): number => (status?.attempts ?? []).reduce((total, row) => total + of(row), 0)
  const [seconds, micros] = [sum((row) => row.seconds ?? 0), sum((row) => Math.round(Number(row.cost ?? 0) * MICRO))]
  return [
    ...(seconds === status?.cost?.seconds ? [] : [`the attempts took ${seconds} s, status.cost says ${status?.cost?.seconds}`]),
    ...(micros === Math.round(Number(status?.cost?.amount) * MICRO) ? [] : [`the attempts cost ${micros / MICRO}, status.cost says ${status?.cost?.amount}`]),
  ]
}

function rows({ status }: TrainingRun): string[] {
  const attempts = status?.attempts ?? []
  const wanted = PREEMPTIONS.length + 2 // the one that spent the budget, and the one that completed the run
  const broke = attempts.filter(({ reason }) => reason === 'BudgetExceeded').length
  return [
    ...(attempts.map(({ number }) => number).join() === Array.from({ length: wanted }, (_, index) => index + 1).join() ? [] : [`there are ${attempts.length} attempts rather than ${wanted}`]),
    ...(broke === 1 ? [] : [`${broke} attempts ended for want of money`]),
  ]
}
