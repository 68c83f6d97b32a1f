import { setTimeout as delay } from 'node:timers/promises'
import { callsOfTheOperator } from '../world/audit.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { readRun, trainingPod, untilState, untilStep } from '../world/runs.ts'
import type { Place } from '../world/site.ts'
import { until } from '../world/until.ts'
import { median, rounded } from './result.ts'

const RUN = 'long'
const WATCH_SECONDS = 120
const KILLS = 3
const CHECKPOINT_EVERY_STEPS = 20
const STEPS_BETWEEN_KILLS = 30 // each attempt gets a checkpoint further than the one before
const PATIENCE_SECONDS = 300
const STEP = / step \d+\/\d+ / // as the engine's log tells of one

/** One run that never ends: how often its status is written while it trains, and how soon it goes on when its pod is lost. */
export async function measureLongRun(place: Place, model: string, say: (line: string) => void) {
  const { site, namespace } = place
  await shipRows(place)
  await site.kube.run(['delete', 'trainingrun', RUN, '-n', namespace, '--ignore-not-found', '--wait'])
  await site.kube.apply(rowsRun(RUN, namespace, model, {
    duration: { maxSteps: 1_000_000 },
    batch: { perDevice: 4, gradientAccumulation: 1 },
    checkpoint: { everySteps: CHECKPOINT_EVERY_STEPS, keep: 2 },
    evaluation: { strategy: 'No' },
    logging: { everySteps: 1 },
  }))
  await untilState(place, RUN, 'Running', PATIENCE_SECONDS)
  await untilStep(place, RUN, 1, PATIENCE_SECONDS)
  const writes = await countWrites(place, say)
  const resumes: Resume[] = []
  while (resumes.length < KILLS) resumes.push(await killAndResume(place, say))
  await site.kube.run(['delete', 'trainingrun', RUN, '-n', namespace, '--wait'])
  const middle = (seconds: (one: Resume) => number): number => rounded(median(resumes.map(seconds)), 1)
  return {
    statusWritesPerMinute: writes,
    resumeSeconds: middle((one) => one.untilFirstStep),
    resumeMostSeconds: rounded(Math.max(...resumes.map((one) => one.untilFirstStep)), 1),
    resumeUntilPodRunsSeconds: middle((one) => one.untilPodRuns),
    resumeUntilTrainingSeconds: middle((one) => one.untilTraining),
  }
}

/** As the API server's audit log counts them: also writes that changed nothing. */
async function countWrites({ site, namespace }: Place, say: (line: string) => void): Promise<number> {
  const from = new Date()
  await delay(WATCH_SECONDS * 1000)
  const to = new Date()
  const writes = (await callsOfTheOperator(site)).filter(({ stage, verb, objectRef: ref, requestReceivedTimestamp: at }) => {
    const isOurs = ref?.resource === 'trainingruns' && ref.subresource === 'status' && ref.namespace === namespace && ref.name === RUN
    return isOurs && stage === 'ResponseComplete' && verb === 'patch' && new Date(at) >= from && new Date(at) < to
  })
  const perMinute = rounded(writes.length / (WATCH_SECONDS / 60), 1)
  say(`status writes of a run that trains: ${perMinute} a minute`)
  return perMinute
}

/** Seconds since the pod was lost. */
type Resume = Readonly<{ untilPodRuns: number; untilTraining: number; untilFirstStep: number }>

/** Loses the pod as with its node, and reads in the log of the next one when it did what. */
async function killAndResume(place: Place, say: (line: string) => void): Promise<Resume> {
  const { site, namespace } = place
  const before = await readRun(place, RUN)
  const attempt = before?.status?.attempts?.at(-1)?.number ?? 0
  await untilStep(place, RUN, (before?.status?.progress?.step ?? 0) + STEPS_BETWEEN_KILLS, PATIENCE_SECONDS)
  const pod = await trainingPod(place, RUN)
  const killedMs = Date.now() // the log's times are of the same clock: the node is this machine
  await site.kube.run(['delete', 'pod', pod.name, '-n', namespace, '--grace-period=0', '--force'])
  const selector = `swe-operator.dev/training-run=${RUN},swe-operator.dev/attempt=${attempt + 1},swe-operator.dev/role=train`
  const log = await until(`attempt ${attempt + 1} has done a step`, PATIENCE_SECONDS, async () => {
    const text = await site.kube.run(['logs', '-n', namespace, '-l', selector, '--timestamps', '--tail=-1'])
    return STEP.test(text) && text
  })
  const secondsUntil = (line: RegExp): number => (Date.parse(log.split('\n').find((one) => line.test(one))?.split(' ')[0] ?? '') - killedMs) / 1000
  const resume = { untilPodRuns: secondsUntil(/./), untilTraining: secondsUntil(/ Training from step /), untilFirstStep: secondsUntil(STEP) }
  say(`pod lost: the next one runs after ${resume.untilPodRuns.toFixed(1)} s, trains after ${resume.untilTraining.toFixed(1)} s, has done a step after ${resume.untilFirstStep.toFixed(1)} s`)
  return resume
}
