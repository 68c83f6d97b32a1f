// The sandboxes of one evaluation, from the first one to the last.
import { describe, expect, it } from 'vitest'
import { aCluster, asTheyShould, index, PULL_MS, WORK_MS, type Pulls } from '../../test/world/graded-cluster.ts'

const proven = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench', quality: 'Proven' } } as const
const deaths = Array.from({ length: 18 }, (_, write) => write + 1).flatMap((atWrite) => (['Before', 'After'] as const).map((moment) => ({ atWrite, moment })))

describe('the sandboxes of an evaluation', () => {
  it('start with the baselines of an instance just before its predictions, so that a node pulls its image once', async () => {
    const { start, untilDone, started, ends, pods } = aCluster({}, asTheyShould)
    const grading = await start()
    await untilDone(grading)
    expect(started()).toEqual([0, 1, 4, 5, 6, 2, 3, 7, 8])
    expect(ends()).toBe('0R 1U 2R 3U 4R 5R 6R 7R 8R')
    expect([pods(), grading.progress().instances]).toEqual([[], ['a', 'b']])
  })

  it('are all of them, whatever the baselines say', async () => {
    const { start, untilDone, ends } = aCluster({}, (ordinal) => (ordinal === 0 ? 'Unresolved' : ordinal === 3 ? 'Resolved' : asTheyShould(ordinal, 1)))
    await untilDone(await start())
    expect(ends()).toBe('0U 1U 2R 3R 4R 5R 6R 7R 8R')
  })

  it('show what changes no more often than their rows are recorded, so that a status is not written for each pod', async () => {
    const { start, advance } = aCluster({}, asTheyShould)
    const grading = await start()
    await advance(PULL_MS + WORK_MS + 100) // the first two have just ended, and their rows are recorded
    const shown = grading.progress()
    expect(shown).toMatchObject({ settled: 2, running: 2 })
    await advance(100)
    expect(grading.progress()).toBe(shown)
    await advance(PULL_MS + WORK_MS)
    expect(grading.progress()).toMatchObject({ settled: 4 })
  })

  it('are for proven instances alone where quality asks for that: the others end without a pod', async () => {
    const { start, untilDone, started, ends, pods } = aCluster(proven, (ordinal) => (ordinal === 0 ? 'Unresolved' : asTheyShould(ordinal, 1)))
    await untilDone(await start())
    expect(started()).toEqual([0, 1, 2, 3, 7, 8])
    expect([ends(), pods()]).toEqual(['0U 1U 2R 3U 4V 5V 6V 7R 8R', []])
  })

  it('keep predictions of no instance of which a baseline was lost, and do not call it invalid', async () => {
    const { start, untilDone, started, ends } = aCluster({ ...proven, sandbox: { infrastructureRetries: 1 } }, (ordinal) => (ordinal === 3 ? 'Lost' : asTheyShould(ordinal, 1)))
    await untilDone(await start())
    expect(started().filter((ordinal) => ordinal >= 7)).toEqual([])
    expect(ends()).toBe('0R 1U 2R 3X 4R 5R 6R 7P 8P')
  })

  it('are none for what an earlier evaluation ran the same: it has its verdict at once', async () => {
    const { start, untilDone, started, ends, pods } = aCluster({}, asTheyShould, undefined, { 0: 'Resolved', 1: 'Unresolved', 5: 'PatchApplyFailed', 7: 'Resolved' })
    await untilDone(await start())
    expect(started()).toEqual([4, 6, 2, 3, 8])
    expect([ends(), pods()]).toEqual(['0C 1F 2R 3U 4R 5G 6R 7C 8R', []])
  })

  it('are none at all where an earlier evaluation ran everything the same', async () => {
    const everything = Object.fromEntries(index.predictions.map((_, ordinal) => [ordinal, 'Resolved'] as const))
    const { start, untilDone, started, ends } = aCluster({}, asTheyShould, undefined, everything)
    const grading = await start()
    await untilDone(grading)
    expect([started(), ends(), grading.isDone(), grading.progress().perMinute]).toEqual([[], '0C 1C 2C 3C 4C 5C 6C 7C 8C', true, undefined])
  })

  it('are what the pace is of, not the verdicts of earlier evaluations', async () => {
    const { start, advance } = aCluster({}, asTheyShould, undefined, { 0: 'Resolved', 1: 'Unresolved', 2: 'Resolved', 3: 'Unresolved', 4: 'Resolved', 5: 'Resolved', 6: 'Resolved' })
    const grading = await start()
    await advance(12_000)
    expect(grading.progress().perMinute).toBeCloseTo(10)
  })

  it('are for proven instances alone, whoever proved them, and an instance that is not has no verdict from elsewhere', async () => {
    const { start, untilDone, started, ends } = aCluster(proven, (ordinal) => (ordinal === 2 ? 'Unresolved' : asTheyShould(ordinal, 1)), undefined, { 0: 'Resolved', 1: 'Unresolved', 4: 'Resolved', 7: 'Resolved' })
    await untilDone(await start())
    expect(started()).toEqual([2, 3, 5, 6])
    expect(ends()).toBe('0C 1F 2U 3U 4C 5R 6R 7V 8V')
  })

  it('are tried again beside a verdict that stands, and each pod says what it is for', async () => {
    const { start, untilDone, ends, purposes } = aCluster({ flakeReruns: 2, knownFlaky: ['b'] }, (ordinal) => (ordinal === 7 ? 'Unresolved' : asTheyShould(ordinal, 1)))
    await untilDone(await start())
    expect(ends()).toBe('0R 1U 2R 3U 4R 5R 6R 7U 8R')
    expect(purposes(7)).toEqual(['Grade', 'Rerun', 'Rerun'])
    expect(purposes(8)).toEqual(['Grade'])
  })

  it('run no test in a dry run, and each prediction is looked at once', async () => {
    const { start, untilDone, ends, purposes } = aCluster({ dryRun: true }, (ordinal) => (ordinal === 7 ? 'DoesNotApply' : 'Ok'))
    await untilDone(await start())
    expect(ends()).toBe('0K 1K 2K 3K 4K 5K 6K 7Q 8K')
    expect([...purposes(4), ...purposes(7)]).toEqual(['DryRun', 'DryRun'])
  })

  it.each(deaths)('are taken up where they were by the next process when theirs dies at write $atWrite, $moment: what is excluded never gets a pod', async (death) => {
    const { start, untilDone, started, ends, pods, advance } = aCluster(proven, (ordinal) => (ordinal === 0 ? 'Unresolved' : asTheyShould(ordinal, 1)))
    const first = await start(death)
    await advance(15_000)
    await first.stop()
    await untilDone(await start())
    expect([started().toSorted(), ends(), pods()]).toEqual([[0, 1, 2, 3, 7, 8], '0U 1U 2R 3U 4V 5V 6V 7R 8R', []])
  })
})

describe('the sandboxes of an evaluation whose images are pulled', () => {
  const fromTwo = (...refused: readonly string[]): Pulls => ({ images: ['a:1', 'ghcr.io/b:1'], refused: new Set(refused) })

  it('wait while the registry of their image answers 429, and the evaluation says so; those of another registry go on', async () => {
    const pulls = fromTwo('a:1')
    const { start, untilDone, started, ends, advance } = aCluster({ parallelism: 6 }, asTheyShould, pulls)
    const grading = await start()
    await advance(8_000)
    expect([started(), ends()]).toEqual([[0, 1, 4, 5, 2, 3, 7, 8], '2R 3U 7R 8R'])
    expect(grading.progress()).toMatchObject({ running: 4, blocked: 'registry docker.io answers 429 Too Many Requests; no further image is pulled from it until 00:00:10Z' })
    pulls.refused.clear()
    await advance(2_000)
    expect(started()).not.toContain(6)
    await untilDone(grading)
    expect([ends(), grading.progress().blocked]).toEqual(['0R 1U 2R 3U 4R 5R 6R 7R 8R', undefined])
  })

  it('are four of one registry until one of them has its image', async () => {
    const { start, untilDone, started, ends, advance } = aCluster({ parallelism: 9 }, asTheyShould, { images: ['a:1', 'b:1'], refused: new Set() })
    const grading = await start()
    await advance(400)
    expect([started(), grading.progress().blocked]).toEqual([[0, 1, 4, 5], undefined])
    await advance(200)
    expect(started()).toEqual([0, 1, 4, 5, 6, 2, 3, 7, 8])
    await untilDone(grading)
    expect(ends()).toBe('0R 1U 2R 3U 4R 5R 6R 7R 8R')
  })

  it('wait for no registry where images are never pulled', async () => {
    const { start, started, advance } = aCluster({ parallelism: 9 }, asTheyShould)
    await start()
    await advance(100)
    expect(started()).toHaveLength(9)
  })

  it.each(deaths)('wait for it too when their process dies at write $atWrite, $moment', async (death) => {
    const [pulls, refused] = [fromTwo('a:1'), [0, 1, 4, 5, 6]]
    const { start, untilDone, started, ends, pods, advance } = aCluster({ parallelism: 6 }, asTheyShould, pulls)
    const first = await start(death)
    await advance(9_000)
    await first.stop()
    const found = started().filter((ordinal) => refused.includes(ordinal))
    const second = await start()
    await advance(8_000)
    expect(ends()).toBe('2R 3U 7R 8R')
    expect(started().filter((ordinal) => refused.includes(ordinal))).toEqual(found.length === 0 ? [0, 1, 4, 5] : found)
    pulls.refused.clear()
    await untilDone(second)
    expect([started().toSorted(), ends(), pods()]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8], '0R 1U 2R 3U 4R 5R 6R 7R 8R', []])
  })
})
