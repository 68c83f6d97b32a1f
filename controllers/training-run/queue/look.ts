import { queueOf } from '../../jobs/queue-labels.ts'
import { type Child, isLive, newestPod } from '../../jobs/children.ts'
import type { Pool } from '../../pools/pool.ts'
import { poolOfNode, refusedNode } from '../../pools/node-labels.ts'
import { isRecorded, type Attempt } from '../children.ts'
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

/** Adds what the labels of the node that a queue chose say: its pool, and whether its GPUs are whole. */
export async function withPools(attempts: readonly Attempt[], nodes: NodeReader, pools: readonly Pool[]): Promise<readonly Attempt[]> {
  return Promise.all(attempts.map((attempt) => withPool(attempt, nodes, pools)))
}

async function withPool(attempt: Attempt, nodes: NodeReader, pools: readonly Pool[]): Promise<Attempt> {
  const node = newestPod(attempt)?.spec?.nodeName
  if (node === undefined || isRecorded(attempt) || attempt.job === undefined || queueOf(attempt.job) === undefined) return attempt
  const labels = await nodes.labelsOf(node)
  const pool = labels && poolOfNode(labels, pools)
  const unfit = labels && refusedNode(labels)
  return { ...attempt, ...(pool === undefined ? {} : { pool: pool.name }), ...(unfit === undefined ? {} : { unfit }) }
}
