import { beforeAll, describe, expect, it } from 'vitest'
import { readRun, untilState, untilStep } from '../world/runs.ts'
import { until } from '../world/until.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { stage } from './stage.ts'

describe('suspending and deleting', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  beforeAll(() => shipRows(place))

  it('frees the node while suspended and goes on from the checkpoint afterwards', async () => {
    await site.kube.apply(rowsRun('paused', namespace, model))
    await untilStep(place, 'paused', 12, 200)
    await setSuspend('paused', true)
    await untilState(place, 'paused', 'Suspended', 120)
    expect(await livePods('paused')).toEqual([])
    await setSuspend('paused', false)
    const run = await untilState(place, 'paused', 'Succeeded', 300)
    expect(run.status?.attempts?.at(-1)?.fromStep).toBeGreaterThanOrEqual(10)
  })

  it.each([
    ['as soon as it is applied', 'deleted-new', undefined],
    ['while it trains', 'deleted-training', 5],
  ])('leaves no Job, pod or ConfigMap when deleted %s', async (_when, name, step) => {
    await site.kube.apply(rowsRun(name, namespace, model))
    if (step !== undefined) await untilStep(place, name, step, 200)
    await site.kube.run(['delete', 'trainingrun', name, '-n', namespace, '--wait=false'])
    await until(`nothing is left of ${name}`, 150, async () => (await leftovers(name)).length === 0, async () => (await leftovers(name)).join('\n'))
    expect(await readRun(place, name)).toBeUndefined()
  })

  async function setSuspend(name: string, suspend: true | false): Promise<void> {
    await site.kube.run(['patch', 'trainingrun', name, '-n', namespace, '--type=merge', '-p', JSON.stringify({ spec: { suspend } })])
  }

  async function livePods(name: string): Promise<readonly string[]> {
    const pods = await site.kube.list('pods', { namespace, selector: `swe-operator.dev/training-run=${name}` })
    return pods.filter((pod) => !['Succeeded', 'Failed'].includes(String((pod['status'] as { phase?: string }).phase))).map((pod) => pod.metadata.name)
  }

  async function leftovers(name: string): Promise<readonly string[]> {
    const out = await site.kube.run(['get', 'jobs,pods,configmaps', '-n', namespace, '-l', `swe-operator.dev/training-run=${name}`, '-o', 'name'])
    return out.split('\n').filter(Boolean)
  }
})
