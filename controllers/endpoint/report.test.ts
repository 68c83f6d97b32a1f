import { anything, assert, property } from 'fast-check'
import { describe, expect, it } from 'vitest'

import { trainingRunStatusSchema } from '../../crds/training-run-status.ts'
import { readReport, type Report } from './report.ts'

const reportOf = (trainerStatus: unknown): Report | undefined => {
  const read = readReport({ trainerStatus })
  if ('problem' in read) throw new Error(read.problem)
  return read.report
}
const metricsOf = (metrics: unknown) => reportOf({ metrics })?.metrics

describe('a progress report', () => {
  it('as transformers sends it is understood', () => {
    const metrics = [{ name: 'loss', value: '5.0497' }, { name: 'current_step', value: '143' }, { name: 'total_steps', value: '250' }]
    const sent = { lastUpdatedTime: '2026-11-21T10:53:51.545036+00:00', progressPercentage: 57, estimatedRemainingSeconds: 3, metrics }
    expect(reportOf(sent)).toEqual({ step: 143, totalSteps: 250, percent: 57, metrics: [{ name: 'loss', value: '5.0497' }] })
  })

  it.each([[{}], [{ trainerStatus: null }], [{ trainerStatus: {} }], [{ somethingElse: 1 }]])('may be empty, like %j', (body) => {
    expect(readReport(body)).toEqual({ report: undefined })
  })

  it.each([[null], ['text'], [3], [[]], [{ trainerStatus: 'text' }]])('is refused only if it is none, like %j', (body) => {
    expect(readReport(body)).toHaveProperty('problem')
  })

  it('keeps values that are no numbers as the text they are', () => {
    const sent = [['loss', 'nan'], ['grad_norm', 'inf'], ['learning_rate', '1e-05'], ['epoch', 1.5]]
    expect(metricsOf(sent.map(([name, value]) => ({ name, value })))?.map(({ value }) => value)).toEqual(['nan', '1e-05', 'inf', '1.5'])
  })

  it('is shortened, not refused, when a name or value is too long', () => {
    expect(metricsOf([{ name: 'n'.repeat(65), value: '😀'.repeat(65) }])).toEqual([{ name: 'n'.repeat(64), value: '😀'.repeat(32) }])
    expect(metricsOf([{ name: 'x', value: `1${'😀'.repeat(65)}` }])).toEqual([{ name: 'x', value: `1${'😀'.repeat(31)}` }])
  })

  it('loses characters that nobody can see', () => {
    expect(metricsOf([{ name: ' lo\u0000s\u200bs\n', value: '\ud8001.5\u202e ' }])).toEqual([{ name: 'loss', value: '1.5' }])
  })

  it('loses metrics that are none and keeps the others', () => {
    expect(metricsOf([null, 7, { name: '' }, { name: 'a' }, { name: 'b', value: {} }, { name: '\u0007', value: '1' }, { name: 'c', value: '1' }])).toEqual([{ name: 'c', value: '1' }])
    expect(metricsOf('no list')).toEqual([])
  })

  it('keeps one value for a name, the last', () => {
    expect(metricsOf([{ name: 'loss', value: '2' }, { name: 'loss', value: '1' }])).toEqual([{ name: 'loss', value: '1' }])
  })

  it('keeps at most 32 metrics and the losses among them', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ name: `rewards/${i}`, value: '0' }))
    const kept = metricsOf([...many, { name: 'eval_loss', value: '2' }, { name: 'loss', value: '1' }])
    expect(kept).toHaveLength(32)
    expect(kept?.slice(0, 3).map(({ name }) => name)).toEqual(['loss', 'eval_loss', 'rewards/0'])
  })

  it('keeps accuracy and margin of held-out pairs, which a comparison reports after all else', () => {
    const many = Array.from({ length: 32 }, (_, i) => ({ name: `entropy${i}`, value: '0' }))
    const kept = metricsOf([...many, { name: 'eval_rewards/accuracies', value: '0.8' }, { name: 'eval_rewards/margins', value: '1.1' }])
    expect(kept?.slice(0, 2)).toEqual([{ name: 'eval_rewards/accuracies', value: '0.8' }, { name: 'eval_rewards/margins', value: '1.1' }])
  })

  it.each([[-1], ['x'], [Number.NaN], [1e300], [null]])('ignores a percentage of %s', (progressPercentage) => {
    expect(reportOf({ progressPercentage })).toEqual({ metrics: [] })
  })

  it('never breaks what it is written into, whatever is sent', () => {
    assert(property(anything(), (metrics) => {
      const kept = metricsOf(Array.isArray(metrics) ? metrics : [{ name: metrics, value: metrics }]) ?? []
      expect(new Set(kept.map(({ name }) => name)).size).toBe(kept.length)
      const progress = { attempt: 1, step: 0, percent: 0, updatedTime: '', metrics: kept }
      expect(trainingRunStatusSchema.safeParse({ progress }).success).toBe(true)
      for (const text of kept.flatMap(({ name, value }) => [name, value])) expect(text).toMatch(/^[^\p{C}]{1,64}$/u)
    }))
  })
})
