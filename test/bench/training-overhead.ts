import { z } from 'zod'
import { restrictedJob } from '../world/restricted-job.ts'
import type { Place } from '../world/site.ts'
import { until } from '../world/until.ts'
import { median, rounded } from './result.ts'

const JOB = 'overhead'
const PAIRS = 5
const STEPS = 150 // a minute and a half on a core that has nothing else to do
const PATIENCE_SECONDS = 3 * 3600

const trainingSchema = z.object({ kind: z.enum(['plain', 'wrapped']), wall_seconds: z.number(), held_out_seconds: z.number() })
export type Training = z.infer<typeof trainingSchema>

/**
 * By how many percent a training takes longer with wrapper, uploads and reports; both kinds run in turns in one pod of the trainer image.
 * The perplexity of held-out rows, a result that plain TRL does not give, is a figure of its own: `heldOutSeconds`.
 */
export async function measureOverhead(place: Place, say: (line: string) => void) {
  say(`training ${STEPS} steps ${2 * PAIRS} times, in turns by plain TRL and in the wrapper`)
  const trainings = await runTrainings(place, say)
  const figures = compare(trainings)
  say(`longer by the clock: ${figures.overheadWallPercent} % (${figures.overheadWallLeastPercent} to ${figures.overheadWallMostPercent}); and ${figures.heldOutSeconds} s for the perplexity of the held-out rows`)
  return figures
}

/** The median over the pairs, each of which saw the machine in one mood. */
export function compare(trainings: readonly Training[]) {
  const plain = trainings.filter(({ kind }) => kind === 'plain')
  const wrapped = trainings.filter(({ kind }) => kind === 'wrapped')
  const wall = percentMore(plain, wrapped)
  return {
    trainingPairs: wall.length,
    plainWallSeconds: rounded(median(plain.map((one) => one.wall_seconds)), 1),
    overheadWallPercent: rounded(median(wall)),
    overheadWallLeastPercent: rounded(Math.min(...wall)),
    overheadWallMostPercent: rounded(Math.max(...wall)),
    heldOutSeconds: rounded(median(wrapped.map((one) => one.held_out_seconds)), 1),
  }
}

async function runTrainings({ site, namespace }: Place, say: (line: string) => void): Promise<readonly Training[]> {
  await site.kube.run(['delete', 'job', JOB, '-n', namespace, '--ignore-not-found', '--wait'])
  await site.kube.apply(restrictedJob({
    namespace,
    name: JOB,
    image: site.images.trainer,
    workingDir: '/opt/swe-workloads',
    command: ['python', 'tests/engine/overhead.py', '--pairs', String(PAIRS), '--steps', String(STEPS)],
  }))
  const log = () => site.kube.run(['logs', `job/${JOB}`, '-n', namespace])
  let told = 0
  await until('all trainings are done', PATIENCE_SECONDS, async () => {
    const job = await site.kube.get<{ status?: { failed?: number; succeeded?: number } }>('job', JOB, namespace)
    const done = trainingsIn(await log())
    for (const { kind, wall_seconds, held_out_seconds } of done.slice(told)) say(`  ${kind}: ${wall_seconds} s, ${held_out_seconds} s of them for the perplexity`)
    told = done.length
    return (job?.status?.succeeded ?? job?.status?.failed) !== undefined
  }, log)
  const trainings = trainingsIn(await log())
  if (trainings.length !== 2 * PAIRS) throw new Error(`only ${trainings.length} of ${2 * PAIRS} trainings ended:\n${await log()}`)
  return trainings
}

function trainingsIn(log: string): readonly Training[] {
  return log.split('\n').filter((line) => line.startsWith('{')).map((line) => trainingSchema.parse(JSON.parse(line)))
}

function percentMore(plain: readonly Training[], wrapped: readonly Training[]): readonly number[] {
  return plain.flatMap((one, pair) => {
    const other = wrapped[pair]
    return other === undefined ? [] : [100 * ((other.wall_seconds - other.held_out_seconds) / one.wall_seconds - 1)]
  })
}
