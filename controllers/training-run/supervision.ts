import { secondsLeft } from '../jobs/backoff.ts'
import { type Child, isLive, jobsOf, newestPod } from '../jobs/children.ts'
import { unlessSame } from '../jobs/inputs.ts'
import { LOOK_AGAIN_SECONDS, lookAtStart } from '../jobs/start.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Verdict } from '../../operator/control/plan.ts'
import type { ConfigMap, Pod } from '../shared/kinds.ts'
import { attemptTable } from './attempt-table.ts'
import { secondsGranted } from './budget.ts'
import { type Attempt } from './children.ts'
import { concernsOf } from './concerns.ts'
import { microBatchAfter } from './micro-batch.ts'
import { modelSource } from './model-source.ts'
import type { Observed } from './observed.ts'
import { conclude } from './reasons.ts'
import { newestProgress } from './progress.ts'
import { buildAttemptJob } from './resources/attempt-job.ts'
import { buildInputs } from './resources/config-map.ts'
import { retryMessage } from './stories.ts'

const KUBELET_SLACK_SECONDS = 60 // to report the end of a pod that it has killed
const CERTIFICATE_RETRY_SECONDS = 2 // made within the operator's first seconds

/** What is said about a child whose program has not begun. */
export function superviseStart(seen: Observed, child: Child, meanwhile: 'Preparing' | 'Starting'): Verdict {
  const { state, message } = lookAtStart(child, seen.warning, seen.now)
  return conclude(state ?? meanwhile, message, { again: LOOK_AGAIN_SECONDS })
}

/** What is said about an attempt whose program has begun. */
export function superviseRunning(seen: Observed, attempt: Attempt): string {
  const pod = newestPod(attempt)
  const { number } = attempt
  if (pod?.metadata.deletionTimestamp !== undefined) return `Attempt ${number} ends: pod ${pod.metadata.name} is being deleted.${stuckHint(pod, seen.now)}`
  if (pod?.status?.phase === 'Succeeded' || pod?.status?.phase === 'Failed') return `Attempt ${number} has ended.`
  const progress = newestProgress(seen)
  if (progress?.attempt !== number) return `Attempt ${number} runs in pod ${pod?.metadata.name} on node ${pod?.spec?.nodeName}; it has not reported yet.`
  const steps = progress.totalSteps === undefined ? `step ${progress.step}` : `step ${progress.step} of ${progress.totalSteps}`
  const concerns = concernsOf(seen).map(({ message }) => ` ${message}`)
  return `Attempt ${number} is at ${steps}, ${progress.percent} %.${concerns.join('')}`
}

/** What is said while pods are asked to end. */
export function stoppingMessage({ attempts, resolved, now }: Observed, ending: readonly Child[]): string {
  const last = attempts.some(isLive) ? 'write a last checkpoint' : 'end'
  const hint = ending.map((child) => stuckHint(newestPod(child), now)).join('')
  return `Its pod gets up to ${resolved.gracePeriodSeconds} s to ${last}.${hint}`
}

/** The time stamp of a deletion is the end of the pod's grace; a kubelet that is not heard of after it may never be. */
export function stuckHint(pod: Pod | undefined, now: Date): string {
  const graceEnd = pod?.metadata.deletionTimestamp
  if (graceEnd === undefined || secondsLeft(graceEnd, KUBELET_SLACK_SECONDS, now) > 0) return ''
  return ` The kubelet of node ${pod?.spec?.nodeName} has not confirmed the end of pod ${pod?.metadata.name}; if that node is lost for good, delete the Node, and the run goes on.`
}

/** Starts the next attempt when its time has come; its number was never used before, by anything that is known. */
export function startNext(seen: Observed, afterSeconds: number): Verdict {
  const last = attemptTable(seen).at(-1)
  const wait = secondsLeft(last?.finishedTime, afterSeconds, seen.now)
  if (wait > 0) return conclude('Retrying', retryMessage(seen, afterSeconds), { again: wait })
  const inputs = buildableInputs(seen)
  if (!inputs) return waitForCertificate()
  const { run, resolved, settings } = seen
  const remove = jobsOf(seen.attempts.filter(({ forgotten }) => forgotten))
  const number = (seen.attempts.at(-1)?.number ?? 0) + 1
  const budgetSeconds = secondsGranted(seen, number)
  const microBatch = microBatchAfter(last, resolved.perDevice)
  const job = buildAttemptJob(run, resolved, settings, { number, microBatch, ...(budgetSeconds === undefined ? {} : { budgetSeconds }) })
  const message = number === 1 ? 'Attempt 1 starts.' : `Attempt ${number} starts from the newest checkpoint.`
  return conclude('Starting', message, { apply: inputsIfChanged(seen), create: [job], remove, again: LOOK_AGAIN_SECONDS })
}

export function waitForCertificate(): Verdict {
  return conclude('Pending', 'The operator is still making the certificate that pods trust.', { again: CERTIFICATE_RETRY_SECONDS })
}

/** The inputs as they should be; undefined until there is a certificate to put into them, and while nobody knows the model. */
export function buildableInputs({ run, resolved, caBundle }: Observed): ConfigMap | undefined {
  return caBundle === undefined || modelSource(run) === undefined ? undefined : buildInputs(run, resolved, caBundle)
}

/** The inputs, where the cluster has others: after a rotation of the certificate, or when somebody deleted them. */
export function inputsIfChanged(seen: Observed): readonly KubeObject[] {
  const desired = buildableInputs(seen)
  return desired === undefined ? [] : unlessSame(seen.inputs, desired)
}
