import { drainByBareLoop, drainByOperator, type DrainWorld, type OperatorRound, type Round } from './drain-rounds.ts'
import { withDrainWorld } from './drain-world.ts'
import { median, rounded, type Bench, type Target } from './result.ts'
import { rateOfIndexedJob, rateOfJobs } from './stock-jobs.ts'

const PREDICTIONS = 2_294 // SWE-bench as a whole
const WINDOW = 256
const TASK_MS = 200 // so short that the control plane is the limit, not the tests
const PAIRS = 5
const STOCK_JOBS = 400 // two minutes at the rate of the Job controller as shipped

const TARGETS: Readonly<Record<string, Target>> = {
  timesBareLoopWall: 1.1,
  timesStockJobs: { atLeast: 30 },
  timesStockIndexedJob: { atLeast: 10 },
  timesLiftedJobs: { atLeast: 1.6 },
  writesPerPrediction: 2.1,
  operatorCpuMsPerPrediction: 2,
  statusWritesPerSecond: 1,
  lagP99Ms: 20,
  podsTwice: 0,
  verdictsLost: 0,
  verdictsDoubled: 0,
}

/** One evaluation of 2,294 simulated predictions against a loop that does no more than create, watch and delete pods, and against Jobs. */
export const drainBench: Bench = async (say) => {
  const lifted = await withDrainWorld({ limits: 'Lifted', taskMs: TASK_MS }, say, async (world) => {
    const pairs = await drainInTurns(world, { predictions: PREDICTIONS, window: WINDOW, pairs: PAIRS }, say)
    const indexed = await told(say, 'one Indexed Job, limits lifted', rateOfIndexedJob(world.cluster, PREDICTIONS, WINDOW))
    const jobs = await told(say, `${PREDICTIONS} Jobs, limits lifted`, rateOfJobs(world.cluster, PREDICTIONS))
    return { pairs, indexed, jobs }
  })
  const stock = await withDrainWorld({ limits: 'Shipped', taskMs: TASK_MS }, say, async (world) => {
    const operator = await drainByOperator(world, { name: 'shipped', predictions: PREDICTIONS, window: WINDOW })
    say(`the operator beside a scheduler as shipped: ${rateOf(operator).toFixed(0)} a second`)
    const indexed = await told(say, 'one Indexed Job, as shipped', rateOfIndexedJob(world.cluster, STOCK_JOBS, WINDOW))
    const jobs = await told(say, `${STOCK_JOBS} Jobs, as shipped`, rateOfJobs(world.cluster, STOCK_JOBS))
    return { operator: rateOf(operator), indexed, jobs }
  })
  const figures = compareRounds(lifted.pairs)
  const timesOf = (own: number) => (rate: number): number => rounded(own / rate, 1)
  const times = timesOf(figures.operatorPerSecond)
  const bareTimes = timesOf(figures.bareLoopPerSecond) // as far as one gets here that creates and deletes each pod
  return {
    metrics: {
      ...figures,
      timesStockJobs: times(stock.jobs), timesStockIndexedJob: times(stock.indexed), timesLiftedJobs: times(lifted.jobs), timesLiftedIndexedJob: times(lifted.indexed),
      bareLoopTimesStockJobs: bareTimes(stock.jobs), bareLoopTimesStockIndexedJob: bareTimes(stock.indexed), bareLoopTimesLiftedJobs: bareTimes(lifted.jobs),
      stockJobsPerSecond: rounded(stock.jobs), stockIndexedJobPerSecond: rounded(stock.indexed), liftedJobsPerSecond: rounded(lifted.jobs), liftedIndexedJobPerSecond: rounded(lifted.indexed),
      operatorBesideStockSchedulerPerSecond: rounded(stock.operator, 1),
    },
    targets: TARGETS,
  }
}

export type Pair = Readonly<{ bare: Round; operator: OperatorRound }>

export type InTurns = Readonly<{ predictions: number; window: number; pairs: number }>

/** Both drain the same predictions, one after the other; who begins changes with each pair. */
export async function drainInTurns(world: DrainWorld, { predictions, window, pairs }: InTurns, say: (line: string) => void): Promise<readonly Pair[]> {
  const done: Pair[] = []
  while (done.length < pairs) {
    const number = done.length + 1
    const byBareLoop = () => drainByBareLoop(world, { name: `bare-${window}-${number}`, predictions, window })
    const byOperator = () => drainByOperator(world, { name: `drain-${window}-${number}`, predictions, window })
    let bare = number % 2 === 1 ? await byBareLoop() : undefined
    const operator = await byOperator()
    bare ??= await byBareLoop()
    done.push({ bare, operator })
    say(`  ${predictions} predictions, window ${window}: bare loop ${bare.seconds.toFixed(1)} s, operator ${operator.seconds.toFixed(1)} s, ${(operator.seconds / bare.seconds).toFixed(3)} times as long; ` +
      `${each(operator.writes, operator).toFixed(3)} writes and ${each(1000 * operator.ownCpu, operator).toFixed(2)} ms of CPU a prediction (bare loop ${each(1000 * bare.ownCpu, bare).toFixed(2)}), ` +
      `peak ${operator.peakRssMiB.toFixed(0)} MiB, loop lag p99 ${operator.lagP99Ms.toFixed(0)} ms`)
  }
  return done
}

/** Medians over the pairs; what must never happen is summed up. */
export function compareRounds(pairs: readonly Pair[]) {
  const ratios = pairs.map(({ bare, operator }) => operator.seconds / bare.seconds)
  const operators = pairs.map(({ operator }) => operator)
  const bares = pairs.map(({ bare }) => bare)
  const middle = <T>(rounds: readonly T[], of: (round: T) => number, digits = 2): number => rounded(median(rounds.map(of)), digits)
  const sum = (of: (round: OperatorRound) => number): number => operators.reduce((total, round) => total + of(round), 0)
  return {
    pairs: pairs.length,
    timesBareLoopWall: rounded(median(ratios), 3), timesBareLoopWallLeast: rounded(Math.min(...ratios), 3), timesBareLoopWallMost: rounded(Math.max(...ratios), 3),
    operatorPerSecond: middle(operators, rateOf, 1), bareLoopPerSecond: middle(bares, rateOf, 1),
    writesPerPrediction: middle(operators, (round) => each(round.writes, round), 3),
    statusWritesPerSecond: middle(operators, ({ statusWrites, seconds }) => statusWrites / seconds),
    operatorCpuMsPerPrediction: middle(operators, (round) => each(1000 * round.ownCpu, round)), bareLoopCpuMsPerPrediction: middle(bares, (round) => each(1000 * round.ownCpu, round)),
    clusterCpuMsPerPrediction: middle(operators, (round) => each(1000 * round.clusterCpu, round)), clusterCpuMsPerPredictionOfBareLoop: middle(bares, (round) => each(1000 * round.clusterCpu, round)),
    peakRssMiB: middle(operators, ({ peakRssMiB }) => peakRssMiB, 1), statusBytes: middle(operators, ({ statusBytes }) => statusBytes, 0),
    lagP99Ms: middle(operators, ({ lagP99Ms }) => lagP99Ms, 1), lagMaxMs: middle(operators, ({ lagMaxMs }) => lagMaxMs, 1),
    podsTwice: sum(({ podsTwice }) => podsTwice), verdictsLost: sum(({ rowsLost }) => rowsLost), verdictsDoubled: sum(({ rowsDoubled }) => rowsDoubled),
  }
}

function rateOf({ podsCreated, seconds }: Round): number {
  return podsCreated / seconds
}

function each(total: number, { podsCreated }: Round): number {
  return total / podsCreated
}

async function told(say: (line: string) => void, what: string, rate: Promise<number>): Promise<number> {
  say(`  ${what}: ${(await rate).toFixed(1)} a second`)
  return rate
}
