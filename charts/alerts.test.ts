// The alerts against what the operator really exposes. What they say to Prometheus is tested in test/integration/alerts.test.ts.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseConfig } from '../controllers/config.ts'
import { createOperator } from '../controllers/operator.ts'
import { endings } from '../controllers/jobs/endings.ts'
import { LEASE } from '../controllers/permissions.ts'
import { TRAINING_RUN_CONTROLLER } from '../controllers/training-run/controller.ts'
import { states } from '../controllers/training-run/reasons.ts'
import { createLog } from '../operator/observe/log.ts'
import { createFakeWorld } from '../operator/testing/fake-world.ts'

const ruleSchema = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string().min(20), description: z.string().min(20), runbook: z.string().min(20) }),
})
const fileSchema = z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(ruleSchema) })) })

const rules = fileSchema.parse(load(readFileSync(join(import.meta.dirname, 'swe-operator/files/alerts.yaml'), 'utf8'))).groups.flatMap(({ rules }) => rules)

/** A metric as an expression selects it. */
type Selector = Readonly<{ metric: string; matchers: readonly Readonly<{ label: string; values: readonly string[] }>[] }>

const NOT_METRICS = new Set(['and', 'or', 'unless', 'by', 'without', 'on', 'ignoring', 'bool', 'group_left', 'group_right'])

function selectorsIn(expression: string): readonly Selector[] {
  const bare = expression.replaceAll(/\b(by|without|on|ignoring)\s*\([^)]*\)/g, '').replaceAll(/\[[^\]]*\]/g, '')
  return [...bare.matchAll(/([a-z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*[\w(])/gi)]
    .filter(([, metric = '']) => !NOT_METRICS.has(metric))
    .map(([, metric = '', braces = '']) => ({ metric, matchers: matchersIn(braces) }))
}

function matchersIn(braces: string): Selector['matchers'] {
  return [...braces.matchAll(/(\w+)(?:=~|!~|!=|=)"([^"]*)"/g)].map(([, label = '', values = '']) => ({ label, values: values.split('|') }))
}

const selectors = rules.flatMap(({ alert, expr }) => selectorsIn(expr).map((selector) => ({ alert, ...selector })))

/** The registry of a replica that was never started. */
function exposed() {
  const store = { endpoint: 'http://store', region: 'r', bucket: 'swe-operator', credentials: { kind: 'Embedded', secretName: 's' } }
  const config = { trainer: { image: 'trainer', gpuImage: 'trainer-gpu', imagePullPolicy: 'Never' }, serving: { vllmImage: 'vllm:1', sglangImage: 'sglang:1' }, harness: { image: 'harness', imagePullPolicy: 'Never' }, store }
  const pod = { POD_NAME: 'p', POD_NAMESPACE: 'n', POD_UID: 'u' }
  const connection = { server: 'https://localhost', authorize: async () => undefined }
  return createOperator(parseConfig(JSON.stringify(config), pod, 'config.json'), { connection, world: createFakeWorld(), log: createLog('error') }).runtime.metrics
}

describe('the alerts', () => {
  const registry = exposed()
  const labelsOf = (metric: string) => z.object({ labelNames: z.array(z.string()) }).safeParse(registry.getSingleMetric(metric)).data?.labelNames

  it('are read as expressions: each names a metric, and only metrics are taken for one', () => {
    expect(selectorsIn('sum(increase(a_total{x="1"}[5m])) > 0.5 * sum by (y) (rate(b_total[5m])) and absent(c{name=~"d|e"}) == 1')).toEqual([
      { metric: 'a_total', matchers: [{ label: 'x', values: ['1'] }] }, { metric: 'b_total', matchers: [] }, { metric: 'c', matchers: [{ label: 'name', values: ['d', 'e'] }] },
    ])
    expect(rules.filter(({ expr }) => selectorsIn(expr).length === 0)).toEqual([])
  })

  it.each(selectors)('$alert selects what the operator exposes: $metric', ({ metric, matchers }) => {
    expect(labelsOf(metric)).toEqual(expect.arrayContaining(matchers.map(({ label }) => label)))
  })

  const known: Readonly<Record<string, readonly string[]>> = {
    state: Object.keys(states), // those of attempts are among them
    phase: Object.values(states).map(({ phase }) => phase),
    reason: endings.map(({ reason }) => reason),
    controller: [TRAINING_RUN_CONTROLLER],
    name: [LEASE],
  }
  it.each(selectors.flatMap(({ alert, matchers }) => matchers.map((matcher) => ({ alert, ...matcher }))))('$alert matches values that occur: $label $values', ({ label, values }) => {
    expect(known[label]).toEqual(expect.arrayContaining([...values]))
  })

  it('name every run by the labels they keep', () => {
    for (const { expr, annotations } of rules) {
      for (const [, label = ''] of Object.values(annotations).join(' ').matchAll(/\$labels\.(\w+)/g)) expect(expr).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`))
    }
  })
})
