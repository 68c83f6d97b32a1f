// What a training came to and where it lies, as its verdicts tell.
import type { Artifact } from '../../crds/common.ts'
import type { TrainingRunStatus } from '../../crds/training-run.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { artifactOf, ownUri } from '../shared/artifacts.ts'
import { attemptTable } from './attempt-table.ts'
import type { Observed } from './observed.ts'
import { interruptedVerdict } from './queue/earlier-pods.ts'
import type { TrainVerdict } from './verdicts.ts'

const REPORT = 'report.html' // its name among the artifacts

/** The verdict of the attempt that completed the run. */
export function completion({ result, attempts }: Observed): TrainVerdict | undefined {
  return result ?? attempts.findLast(({ verdict }) => verdict?.exitCode === 0)?.verdict
}

/** What the attempts have said last, completed or not. */
export function newestVerdict({ result, attempts }: Observed): TrainVerdict | undefined {
  return result ?? attempts.flatMap((attempt) => attempt.verdict ?? interruptedVerdict(attempt) ?? []).at(-1)
}

/** Where an object of the run lies; `key` is relative to the run's prefix. */
export function uriOf({ run, settings }: Observed, key: string): string {
  return ownUri(run, settings, key)
}

/** Of the result, so only once there is one. */
export function describePerplexity(seen: Observed): TrainingRunStatus['perplexity'] {
  return completion(seen)?.perplexity ?? seen.run.status?.perplexity
}

/** The best so far; where it lies is known once the run is complete. */
export function describeBestCheckpoint(seen: Observed): TrainingRunStatus['bestCheckpoint'] {
  const best = newestVerdict(seen)?.best
  if (!best) return seen.run.status?.bestCheckpoint
  const { step, evalLoss, key } = best
  return { step, evalLoss, ...(key === undefined ? {} : { uri: uriOf(seen, key) }) }
}

export function describeArtifacts(seen: Observed): readonly Artifact[] {
  const createdTime = attemptTable(seen).at(-1)?.finishedTime ?? toSeconds(seen.now)
  const { artifacts, attempt, lastStep } = completion(seen) ?? {}
  const facts = Object.entries({ attempt, step: lastStep }).flatMap(([fact, value]) => (value === undefined ? [] : [[fact, String(value)] as const]))
  const metadata = facts.length === 0 ? {} : { metadata: Object.fromEntries(facts) }
  return (artifacts ?? []).map((one) => ({ ...artifactOf(seen.run, seen.settings, one, createdTime), ...metadata }))
}

/** The page that shows the run to a person; the oldest trainers made none. */
export function reportUri(seen: Observed): string | undefined {
  const report = completion(seen)?.artifacts?.find(({ name }) => name === REPORT)
  return report && uriOf(seen, report.key)
}
