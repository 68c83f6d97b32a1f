import { ApiError, isConflict, Retryable, Terminal, TransportError } from '../api/errors.ts'
import type { ObjectKey } from '../api/object.ts'
import type { Cache } from '../cache/cache.ts'
import type { ConsistencyGate } from '../cache/gate.ts'
import { NotLeading } from '../lease/fence.ts'
import { sameJson } from '../meta/hash.ts'
import type { Log } from '../observe/log.ts'
import type { World } from '../world.ts'
import type { Controller } from './controller.ts'
import { Conflict, type Executor, type Subject } from './execute.ts'
import { writableKinds } from './kinds.ts'
import type { Plan } from './plan.ts'

/** What the queue should do about a key after a pass over it. */
export type Outcome =
  | Readonly<{ result: 'success' }>
  | Readonly<{ result: 'again'; afterMs: number }>
  /** The cache has not seen our own last writes yet. */
  | Readonly<{ result: 'stale'; afterMs: number }>
  | Readonly<{ result: 'error'; error: unknown; class: FailureClass; afterMs?: number }>

/** `Bug`: thrown by code that meant to throw nothing. `Expected`: somebody else was faster, or this process lost the lease. */
export type FailureClass = 'Terminal' | 'Timeout' | 'Bug' | 'Expected' | 'Failure'

export type ReconcilerOptions = Readonly<{
  controller: Controller
  cache: Cache
  gate: ConsistencyGate
  execute: Executor
  world: World
}>

const DEADLINE_MS = 30_000 // three calls at their full deadline of 10 s; beyond that something hangs
const STALE_RETRY_MS = 100 // the gate itself has waited two seconds already

/** The pass took longer than it may; what it was observing is given up, and nothing of it is written. */
export class ReconcileTimeout extends Error {
  override readonly name = 'ReconcileTimeout'
}

/** One pass: wait for our own writes, look, write. Never rejects. `stop` ends it early, between two writes. */
export type Reconciler = (key: ObjectKey, log: Log, stop: AbortSignal) => Promise<Outcome>

export function createReconciler(options: ReconcilerOptions): Reconciler {
  return async (key, log, stop) => {
    const deadline = startDeadline(options.world, stop)
    try {
      return await pass(options, key, { log, signal: deadline.signal })
    } catch (error) {
      return failed(error)
    } finally {
      deadline.clear()
    }
  }
}

type Pass = Readonly<{ log: Log; signal: AbortSignal }>

async function pass({ controller, cache, gate, execute, world }: ReconcilerOptions, key: ObjectKey, { log, signal }: Pass): Promise<Outcome> {
  if (!(await gate.ready(writableKinds(controller), signal))) return { result: 'stale', afterMs: STALE_RETRY_MS }
  const context = { cache, world, signal, log }
  const subject: Subject | undefined = cache.of(controller.type).get(key)
  const plan = await orAborted(subject ? controller.look(subject, context) : controller.lookAbsent(key, context), signal)
  const { failures, statusWritten } = await execute(plan, subject, signal)
  if (statusWritten) tellOfStatus(log, subject?.status, plan.status)
  if (failures.length > 0) return failed(failures.length === 1 ? failures[0] : new AggregateError(failures, messagesOf(failures)))
  return plan.again === undefined ? { result: 'success' } : { result: 'again', afterMs: plan.again * 1000 }
}

/** Looking changes nothing, so a look that ignores its signal can be left behind; writing is always waited for. */
async function orAborted(look: Promise<Plan>, signal: AbortSignal): Promise<Plan> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([look, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function startDeadline(world: World, stop: AbortSignal): Readonly<{ signal: AbortSignal; clear: () => void }> {
  const expired = new AbortController()
  const finished = new AbortController()
  world.sleep(DEADLINE_MS, finished.signal).then(
    () => expired.abort(new ReconcileTimeout(`not finished after ${DEADLINE_MS / 1000} s`)),
    () => undefined, // finished in time
  )
  return { signal: AbortSignal.any([stop, expired.signal]), clear: () => finished.abort() }
}

function failed(error: unknown): Outcome {
  const afterMs = waitAskedFor(error)
  return { result: 'error', error, class: classOf(error), ...(afterMs === undefined ? {} : { afterMs }) }
}

function classOf(error: unknown): FailureClass {
  if (error instanceof AggregateError) return error.errors.map(classOf).find((one) => one !== 'Expected') ?? 'Expected'
  if (error instanceof Terminal) return 'Terminal'
  if (error instanceof ReconcileTimeout) return 'Timeout'
  if (error instanceof NotLeading || isConflict(error) || (error instanceof Error && error.name === 'AbortError')) return 'Expected'
  const isTyped = [ApiError, TransportError, Retryable, Conflict].some((type) => error instanceof type)
  return isTyped ? 'Failure' : 'Bug'
}

function waitAskedFor(error: unknown): number | undefined {
  if (error instanceof AggregateError) return longest(error.errors.map(waitAskedFor))
  if (error instanceof Retryable && error.afterSeconds !== undefined) return error.afterSeconds * 1000
  if (error instanceof ApiError && error.retryAfterSeconds !== undefined) return error.retryAfterSeconds * 1000
  return undefined
}

function longest(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined)
  return known.length === 0 ? undefined : Math.max(...known)
}

function messagesOf(failures: readonly unknown[]): string {
  return failures.map((failure) => (failure instanceof Error ? failure.message : String(failure))).join('; ')
}

/** Progress is written every few seconds; only another state is news. */
function tellOfStatus(log: Log, before: unknown, after: unknown): void {
  const status = summaryOf(after)
  if (status.state !== undefined && sameJson(summaryOf(before), status)) log.debug({ status }, 'status updated')
  else log.info({ status }, 'status changed')
}

/** The words of a status that a log line should carry. */
function summaryOf(status: unknown): Readonly<{ state: unknown; observedGeneration: unknown }> {
  const { state, phase, observedGeneration }: Record<string, unknown> = Object(status)
  return { state: state ?? phase, observedGeneration }
}
