import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../crds/training-run.ts'
import { KILLS, strike, untilOperatorReady, watchLiveJobs } from '../world/kills.ts'
import { lossHistory, weightsSha256 } from '../world/outcome.ts'
import { untilState, untilStep } from '../world/runs.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { stage } from './stage.ts'

const KILL_AT_STEP = 12 // behind two checkpoints of five steps, so that there is something to resume and something to repeat

describe('a run that something is killed under', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let undisturbed: TrainingRun
  let jobs: ReturnType<typeof watchLiveJobs>

  beforeAll(async () => {
    await shipRows(place)
    jobs = watchLiveJobs(place)
    await site.kube.apply(rowsRun('undisturbed', namespace, model))
    undisturbed = await untilState(place, 'undisturbed', 'Succeeded', 400)
  })

  it.each(KILLS)('ends with the losses and weights of an undisturbed one when the %s is killed', async (kill) => {
    const name = `killed-${kill.toLowerCase().replaceAll(' ', '-')}`
    await site.kube.apply(rowsRun(name, namespace, model))
    await untilStep(place, name, KILL_AT_STEP, 200)
    await strike(kill, place, name)
    const run = await untilState(place, name, 'Succeeded', 400)
    await untilOperatorReady(site)
    expect(await lossHistory(site, run)).toEqual(await lossHistory(site, undisturbed))
    expect(weightsSha256(run)).toBe(weightsSha256(undisturbed))
  })

  afterAll(async () => {
    for (const [run, most] of await jobs.stop()) expect(most, `${run}: training Jobs live at once`).toBeLessThanOrEqual(1)
  })
})
