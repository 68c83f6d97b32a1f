// The sandboxes of an evaluation follow its state, as the controller writes it.
import { describe, expect, it } from 'vitest'
import { SWEBenchEvalType, type SWEBenchEval, type SWEBenchEvalSpec } from '../../crds/swebench-eval.ts'
import { anObservation, settings } from '../../test/world/evaluation-seen.ts'
import { aCluster, asTheyShould } from '../../test/world/graded-cluster.ts'
import { Gradings } from './gradings.ts'
import { plan } from './plan.ts'
import { resolve } from './resolve.ts'
import { indexed } from './rows.ts'
import type { PrepareVerdict } from './verdicts.ts'

const ALL = 9 // of the two instances: four baselines, five predictions, two seconds each
const prepared: PrepareVerdict = { kind: 'PrepareEval', exitCode: 0, reason: 'Completed', message: '', data: 'data/p1/', summary: { instances: 2, predictions: 5, toRun: 5, emptyPatches: 0, withoutPrediction: 0, unknownIds: 0, duplicates: 0, badRows: 0, images: 2, baselines: 4 } }

/** A leader that drives sandboxes, and writes the status of the evaluation whenever it is woken, by rows too. */
function aLeader(indexTakesMs = 0) {
  const cluster = aCluster({}, asTheyShould)
  const { server, cache, evaluation } = cluster
  const { uid = '' } = evaluation.metadata
  const now = (): SWEBenchEval => cache.of(SWEBenchEvalType).get(evaluation.metadata) ?? evaluation
  const look = (): void => {
    const progress = gradings.progressOf(uid)
    const seen = { ...anObservation(), evaluation: now(), resolved: resolve(now(), settings), prepared, rows: indexed(cluster.rows()), ...(progress === undefined ? {} : { progress }) }
    const { status } = plan(seen)
    if (JSON.stringify(status) !== JSON.stringify(now().status)) server.put({ ...now(), status })
  }
  const parts = cluster.partsOf()
  const index: typeof parts.store.index = async (of, prefix) => {
    await parts.world.sleep(indexTakesMs)
    return parts.store.index(of, prefix)
  }
  const gradings = new Gradings(() => ({ ...parts, store: { ...parts.store, index }, wake: () => void Promise.resolve().then(look) }))
  server.watch((_before, after) => {
    if (after?.kind === 'ConfigMap') void Promise.resolve().then(look)
  })
  const apply = (more: Partial<SWEBenchEvalSpec>): void => {
    const { budget: _, ...kept } = now().spec
    server.put({ ...now(), spec: { ...kept, ...more } })
    look()
  }
  return { ...cluster, apply, state: () => now().status?.state, cost: () => now().status?.cost, service: gradings.service() }
}

describe('the sandboxes of an evaluation with a budget', () => {
  it('start until it is spent, finish, and start again with those that are missing once it is raised', async () => {
    const { service, apply, state, cost, started, pods, ends, advance } = aLeader()
    apply({ budget: { maxDuration: '6s' } })
    await service.start()
    await advance(60_000)
    const before = started()
    expect([state(), pods(), before.length]).toEqual(['BudgetExceeded', [], expect.toSatisfy((count: number) => count >= 3 && count <= 6)]) // three spend it, two were at work
    expect(cost()).toMatchObject({ seconds: 2 * before.length })
    await advance(600_000)
    expect(started()).toEqual(before)
    apply({ budget: { maxDuration: '1h' } })
    await advance(60_000)
    expect([state(), ends()]).toEqual(['Reporting', '0R 1U 2R 3U 4R 5R 6R 7R 8R'])
    expect(started().toSorted()).toEqual(Array.from({ length: ALL }, (_, ordinal) => ordinal))
    await service.stop()
  })

  it('stay away under a new leader too', async () => {
    const { service, apply, state, started, advance } = aLeader()
    apply({ budget: { maxDuration: '1s' } })
    await service.start()
    await advance(30_000)
    await service.stop()
    const before = started()
    await service.start()
    await advance(60_000)
    expect([state(), started()]).toEqual(['BudgetExceeded', before])
    await service.stop()
  })

  it('do not start where it was held while the index was read', async () => {
    const { service, apply, state, started, advance } = aLeader(5_000)
    apply({})
    await service.start()
    await advance(1_000)
    apply({ suspend: true })
    await advance(60_000)
    expect([state(), started()]).toEqual(['Suspended', []])
    await service.stop()
  })
})
