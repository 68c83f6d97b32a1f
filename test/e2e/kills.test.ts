import { beforeAll, describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../crds/training-run.ts'
import { KILLS, strikeAt, watchLiveJobs } from '../world/kills.ts'
import { lossHistory, weightsSha256 } from '../world/outcome.ts'
import { untilState } from '../world/runs.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { stage } from './stage.ts'

const LIMIT_SECONDS = 400
const FIRST_STRIKE = 12 // behind two checkpoints, so that there is something to resume and something to repeat
const STEPS_BETWEEN = 50 // five seconds pass from a step to its report, and the run goes on while its operator or the API server comes back
const LENGTH = { duration: { maxSteps: FIRST_STRIKE + (KILLS.length + 1) * STEPS_BETWEEN } }

describe('a run that everything is killed under once', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let [undisturbed, struck]: TrainingRun[] = []
  let liveJobs: ReadonlyMap<string, number>

  beforeAll(async () => {
    await shipRows(place)
    const jobs = watchLiveJobs(place)
    await site.kube.apply(rowsRun('undisturbed', namespace, model, LENGTH))
    undisturbed = await untilState(place, 'undisturbed', 'Succeeded', LIMIT_SECONDS)
    await site.kube.apply(rowsRun('struck', namespace, model, LENGTH))
    for (const [index, kill] of KILLS.entries()) await strikeAt(place, 'struck', { kill, step: FIRST_STRIKE + index * STEPS_BETWEEN }, LIMIT_SECONDS)
    struck = await untilState(place, 'struck', 'Succeeded', LIMIT_SECONDS)
    liveJobs = await jobs.stop()
  })

  it(`ends with the losses of an undisturbed one: ${KILLS.join(', ')}`, async () => {
    expect(await lossHistory(site, struck!)).toEqual(await lossHistory(site, undisturbed!))
  })

  it('ends with the weights of an undisturbed one', () => {
    expect(weightsSha256(struck!)).toBe(weightsSha256(undisturbed!))
  })

  it('has a row for each attempt that was ended, and goes on in the same one when operator or API server are', () => {
    expect(struck?.status?.attempts?.map(({ state }) => state)).toHaveLength(3)
    expect(undisturbed?.status?.attempts).toHaveLength(1)
  })

  it('never has two training Jobs live at once', () => {
    expect([...liveJobs.values()].filter((most) => most > 1)).toEqual([])
    expect(liveJobs.get('struck')).toBe(1)
  })
})
