import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, loadAll } from 'js-yaml'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { poolFormSchema, poolsSchema } from '../controllers/pools/pool-config.ts'
import { poolOfNode } from '../controllers/pools/node-labels.ts'
import { trainingRunSpecSchema } from '../crds/training-run-spec.ts'

const text = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')

const objectSchema = z.looseObject({ kind: z.string(), metadata: z.object({ name: z.string(), namespace: z.string().optional() }), spec: z.looseObject({}).default({}) })
const objects = loadAll(text('kueue/queues.yaml')).map((document) => objectSchema.parse(document))
const named = (kind: string) => objects.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name)

const run = z.object({ metadata: z.object({ namespace: z.string() }), spec: trainingRunSpecSchema }).parse(load(text('kueue/training-run.yaml')))
const { compute } = run.spec

const valuesSchema = z.looseObject({ pools: z.record(z.string(), poolFormSchema.omit({ name: true })) })
const pools = poolsSchema.parse(Object.entries(valuesSchema.parse(load(text('../charts/swe-operator/values.yaml'))).pools).map(([name, pool]) => ({ name, ...pool })))

it('the sample run names a queue of its namespace and a priority that exist', () => {
  const queue = objects.find(({ kind, metadata }) => kind === 'LocalQueue' && metadata.namespace === run.metadata.namespace)
  expect(compute).toMatchObject({ queueName: queue?.metadata.name, workloadPriorityClass: expect.toBeOneOf(named('WorkloadPriorityClass')) })
  expect(named('ClusterQueue')).toContain(queue?.spec['clusterQueue'])
})

it('a node of the sample flavor is known as the pool that the sample run names, so its price is known', () => {
  const flavor = objects.find(({ kind }) => kind === 'ResourceFlavor')
  const labels = z.record(z.string(), z.string()).parse(flavor?.spec['nodeLabels'])
  expect(poolOfNode(labels, pools)?.name).toBe(compute?.pool)
})

it('the sample queue covers all that a training pod asks for', () => {
  const pool = pools.find(({ name }) => name === compute?.pool)
  const { resourceGroups } = z.looseObject({ resourceGroups: z.array(z.looseObject({ coveredResources: z.array(z.string()) })) }).parse(objects.find(({ kind }) => kind === 'ClusterQueue')?.spec)
  expect(resourceGroups.flatMap(({ coveredResources }) => coveredResources)).toEqual(expect.arrayContaining(['cpu', 'memory', pool?.gpu?.resource]))
})
