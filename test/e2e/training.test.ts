import { beforeAll, describe, expect, it } from 'vitest'
import type { TrainingRun } from '../../crds/training-run.ts'
import { untilState } from '../world/runs.ts'
import { viewStore } from '../world/store-view.ts'
import { rowsRun, shipRows } from '../world/rows.ts'
import { stage } from './stage.ts'

describe('a run over ten real SWE-bench rows', () => {
  const { site, namespace, model } = stage()
  const place = { site, namespace }
  let run: TrainingRun
  const shown: string[] = []

  beforeAll(async () => {
    await shipRows(place)
    await site.kube.apply(rowsRun('ten-rows', namespace, model))
    const watching = site.kube.follow(['get', 'trainingruns', '-n', namespace, '-w'], (line) => void (line.startsWith('ten-rows') && shown.push(line)))
    run = await untilState(place, 'ten-rows', 'Succeeded', 400)
    await watching.stop()
  })

  it('ends Complete, as kubectl wait sees it', async () => {
    await site.kube.run(['wait', 'trainingrun/ten-rows', '-n', namespace, '--for=condition=Complete', '--timeout=5s'])
  })

  it('splits seven to train on and three to evaluate, by instance', () => {
    expect(run.status?.data).toMatchObject({ rows: 10, train: 7, test: 3, badRows: 0, duplicatesAcrossSplit: 0 })
  })

  it('reports a loss that fell', () => {
    expect(Number(run.status?.loss?.last)).toBeLessThan(Number(run.status?.loss?.first))
    expect(Number(run.status?.loss?.evalLast)).toBeGreaterThan(0)
  })

  it('takes one attempt and says where it ran', () => {
    expect(run.status?.attempts).toMatchObject([{ number: 1, state: 'Completed', lastStep: 40, node: expect.any(String) }])
  })

  it('lists artifacts whose sha256 and size are those of the store', async () => {
    const artifacts = run.status?.artifacts ?? []
    expect(artifacts.map((one) => one.name)).toEqual(expect.arrayContaining(['adapter/adapter_model.safetensors', 'adapter/adapter_config.json', 'metrics.jsonl']))
    const store = await viewStore(site)
    try {
      for (const artifact of artifacts) {
        expect(await store.sha256(artifact.uri), artifact.name).toBe(artifact.sha256)
        expect((await store.read(artifact.uri)).length, artifact.name).toBe(artifact.sizeBytes)
      }
    } finally {
      await store.close()
    }
  })

  it('shows its states to kubectl get -w in the order they happened', () => {
    const states = ['Preparing', 'Running', 'Succeeded'].map((state) => shown.findIndex((line) => line.includes(state)))
    expect(states.every((index) => index >= 0), shown.join('\n')).toBe(true)
    expect(states).toEqual([...states].sort((a, b) => a - b))
  })

  it('explains its fields to kubectl', async () => {
    expect(await site.kube.run(['explain', 'trainingrun.spec.lora.rank'])).toMatch(/rank/i)
  })

  it('tells its story in events', async () => {
    const events = await site.kube.run(['get', 'events.events.k8s.io', '-n', namespace, '--field-selector', 'regarding.name=ten-rows', '-o', 'jsonpath={.items[*].reason}'])
    expect(events).toContain('Succeeded')
  })
})
