import type { Pool } from '../pools/pool.ts'
import { poolOfNode } from '../pools/node-labels.ts'
import { isLive, isRecorded, newestPod, type Attempt, type Child } from '../children.ts'
import { queueOf } from './labels.ts'
import type { NodeReader } from './nodes.ts'
import type { QueueAnswer, QueueReader } from './workload.ts'

/** Whether its Job waits in a queue, or was just sent back there: then the Job is suspended, and lives. */
export function isQueued({ job, ...child }: Child): boolean {
  return job?.spec?.suspend === true && queueOf(job) !== undefined && job.metadata.deletionTimestamp === undefined && isLive({ job, ...child })
}

/** Where the Job that waits stands; undefined if none does. */
export async function lookAtQueue(children: readonly Child[], queue: QueueReader): Promise<QueueAnswer | undefined> {
  const waiting = children.findLast(isQueued)
  return waiting?.job && queue.of(waiting.job)
}

/** Adds the pool of the node that a queue chose, read once for each node that an attempt gets. */
export async function withPools(attempts: readonly Attempt[], nodes: NodeReader, pools: readonly Pool[]): Promise<readonly Attempt[]> {
  return Promise.all(attempts.map((attempt) => withPool(attempt, nodes, pools)))
}

async function withPool(attempt: Attempt, nodes: NodeReader, pools: readonly Pool[]): Promise<Attempt> {
  const node = newestPod(attempt)?.spec?.nodeName
  const isKnown = attempt.record?.node === node && attempt.record?.pool !== undefined
  if (node === undefined || isKnown || isRecorded(attempt) || attempt.job === undefined || queueOf(attempt.job) === undefined) return attempt
  const labels = await nodes.labelsOf(node)
  const pool = labels && poolOfNode(labels, pools)
  return pool === undefined ? attempt : { ...attempt, pool: pool.name }
}
