import { isLive, newestPod } from '../jobs/children.ts'
import type { TrainingRun } from '../../crds/training-run.ts'
import { isConsulted, isFinished, isGoing } from '../shared/lifecycle.ts'
import { StoreError } from '../store/error.ts'
import { succeeded, verdictOf } from '../jobs/sealed.ts'
import { isRecorded, type Attempt, type Preparation, type Publication } from './children.ts'
import { isPrepared, type Observed } from './observed.ts'
import { readDataManifest, readResultManifest, readPublishVerdict, readTrainVerdict, type PrepareVerdict, type TrainVerdict } from './verdicts.ts'

/** Whose prefix of the store is meant. */
export type RunIdentity = Readonly<{ namespace: string; uid: string }>

/**
 * What the programs of a run left in the store, as parsed JSON; undefined if there is nothing.
 * Every call may reject while the store cannot be reached.
 */
export type VerdictStore = Readonly<{
  dataManifest(run: RunIdentity, signal?: AbortSignal): Promise<unknown>
  attemptVerdict(run: RunIdentity, attempt: number, signal?: AbortSignal): Promise<unknown>
  resultManifest(run: RunIdentity, signal?: AbortSignal): Promise<unknown>
  publishManifest(run: RunIdentity, signal?: AbortSignal): Promise<unknown>
}>

export type Known = Readonly<{ attempts: readonly Attempt[]; preparations: readonly Preparation[]; publications: readonly Publication[] }>
type Looked = Pick<Observed, keyof Known | 'consulted' | 'prepared' | 'result' | 'published' | 'storeTrouble'>

const MISSING_IN_A_ROW = 5 // attempts killed without a verdict leave gaps in the store; more in a row give up anyway

/** Adds what only the store can tell. It is asked as little as possible: on the first visit, where a pod said nothing, and for the whole result. */
export async function consult(run: TrainingRun, known: Known, store: VerdictStore, signal: AbortSignal): Promise<Looked> {
  if (isFinished(run) || isGoing(run)) return { ...known, consulted: isConsulted(run) }
  const [prepared, published] = [succeeded(known.preparations), succeeded(known.publications)]
  const looked: Looked = { ...known, consulted: isConsulted(run), ...(prepared === undefined ? {} : { prepared }), ...(published === undefined ? {} : { published }) }
  try {
    return await ask(run, looked, storeOf(run, store, signal))
  } catch (error) {
    const attempts = known.attempts.map((attempt) => (needsStore(attempt) ? { ...attempt, unread: true as const } : attempt))
    return { ...looked, attempts, storeTrouble: error instanceof Error ? error.message : String(error) }
  }
}

async function ask(run: TrainingRun, looked: Looked, store: Questions): Promise<Looked> {
  const isFirstVisit = !looked.consulted
  const result = isFirstVisit || looked.attempts.some(needsStore) || lostStore(looked.attempts.at(-1)) ? await store.result() : undefined
  const prepared = needsDataManifest(run, looked) ? await store.data() : looked.prepared
  const remembered = isFirstVisit && prepared !== undefined ? await rememberAttempts(looked.attempts, store) : looked.attempts
  const attempts: Attempt[] = []
  for (const attempt of remembered) attempts.push(isUnexplained(attempt) ? await explain(attempt, result, store) : attempt)
  const published = await publishedBy(run, looked, store)
  const found = { ...(prepared === undefined ? {} : { prepared }), ...(result === undefined ? {} : { result }), ...(published === undefined ? {} : { published }) }
  return { ...looked, attempts, consulted: true, ...found }
}

async function publishedBy({ spec, status }: TrainingRun, { publications, consulted }: Looked, store: Questions): Promise<Looked['published']> {
  if (spec.publish === undefined) return undefined
  return verdictOf({ children: publications, isKnown: status?.publish !== undefined, manifest: store.publication, read: readPublishVerdict }, consulted)
}

function needsDataManifest(run: TrainingRun, looked: Looked): boolean {
  const isKnown = looked.prepared !== undefined || isPrepared({ run })
  const newest = looked.preparations.at(-1)
  return !isKnown && !looked.preparations.some(isLive) && (newest?.verdict === undefined || lostStore(newest))
}

/** It ended because it could not reach the store: while we cannot either, another try would fare no better. */
function lostStore(child: Attempt | Preparation | undefined): boolean {
  if (child === undefined || isLive(child)) return false
  return (('record' in child ? child.record?.reason : undefined) ?? child.verdict?.reason) === 'StoreUnavailable'
}

/** Over, unrecorded, and its pod says nothing. */
function isUnexplained(attempt: Attempt): boolean {
  return !isLive(attempt) && !isRecorded(attempt) && attempt.verdict === undefined
}

/** Besides those, one that completed: a termination message may be too short for the whole list of artifacts. */
function needsStore(attempt: Attempt): boolean {
  return isUnexplained(attempt) || (!isLive(attempt) && !isRecorded(attempt) && attempt.verdict?.exitCode === 0)
}

async function explain(attempt: Attempt, result: TrainVerdict | undefined, store: Questions): Promise<Attempt> {
  const left = await store.attempt(attempt.number)
  const verdict = (left !== undefined && isOfNewestPod(attempt, left) ? left : undefined) ?? (result?.attempt === attempt.number ? result : undefined)
  return verdict === undefined ? attempt : { ...attempt, verdict }
}

/** A queue may have one attempt make several pods: what an earlier one said does not explain the end of a later one. */
function isOfNewestPod(attempt: Attempt, { podUid }: TrainVerdict): boolean {
  const uid = newestPod(attempt)?.metadata.uid
  return uid === undefined || podUid === undefined || podUid === uid
}

/** Attempts of which nothing but their verdict is left: a run that lost its status must not use their numbers again. */
async function rememberAttempts(attempts: readonly Attempt[], store: Questions): Promise<readonly Attempt[]> {
  const found = [...attempts]
  for (let number = 1, missing = 0; missing < MISSING_IN_A_ROW; number += 1) {
    if (attempts.some((attempt) => attempt.number === number)) continue
    const verdict = await store.attempt(number)
    missing = verdict === undefined ? missing + 1 : 0
    if (verdict !== undefined) found.push({ number, pods: [], verdict })
  }
  return found.sort((one, other) => one.number - other.number)
}

type Questions = Readonly<{
  data(): Promise<PrepareVerdict | undefined>
  result(): Promise<TrainVerdict | undefined>
  attempt(number: number): Promise<TrainVerdict | undefined>
  /** The commit marker of a publication. */
  publication(): Promise<unknown>
}>

function storeOf(run: TrainingRun, store: VerdictStore, signal: AbortSignal): Questions {
  const { namespace = '', uid = '' } = run.metadata
  const identity = { namespace, uid }
  const data = async () => present(await answered(store.dataManifest(identity, signal)), readDataManifest)
  const result = async () => present(await answered(store.resultManifest(identity, signal)), readResultManifest)
  const attempt = async (number: number) => readTrainVerdict(await answered(store.attemptVerdict(identity, number, signal))).verdict
  const publication = () => answered(store.publishManifest(identity, signal))
  return { data, result, attempt, publication }
}

/** What can never be read counts as absent: a pod wrote it, and waiting for it would hold the run for ever. */
async function answered(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof StoreError && !error.retryable) return undefined
    throw error
  }
}

function present<T>(raw: unknown, read: (raw: unknown) => T): T | undefined {
  return raw === undefined ? undefined : read(raw)
}
