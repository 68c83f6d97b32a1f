// One TrainingRun in a simulated cluster, with programs that train, report, checkpoint and die, and an operator that may crash.
import { trainingRunStatusSchema } from '../../crds/training-run-status.ts'
import type { TrainingRunProgress, TrainingRunSpec, TrainingRunStatus } from '../../crds/training-run.ts'
import type { KubeObject } from '../../operator/api/object.ts'
import type { Cache } from '../../operator/cache/cache.ts'
import type { Plan } from '../../operator/control/plan.ts'
import { sameJson } from '../../operator/meta/hash.ts'
import { controllerOf } from '../../operator/meta/owner.ts'
import { toSeconds } from '../../operator/meta/time.ts'
import { isTerminal, type Pod } from '../../controllers/shared/kinds.ts'
import { numberOf, ROLE } from '../../controllers/shared/labels.ts'
import { StoreError } from '../../controllers/store/error.ts'
import { trainingRunController } from '../../controllers/training-run/controller.ts'
import { isFinished } from '../../controllers/shared/lifecycle.ts'
import type { QueueAnswer } from '../../controllers/training-run/queue/workload.ts'
import type { TrainVerdict } from '../../controllers/training-run/verdicts.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import { a100, aPrepareVerdict, aTrainingRun, completed, preempted, published, settings } from './training-run.ts'

const TOTAL_STEPS = 60
const CHECKPOINT_EVERY = 10

/** Plans and carries out, as the runtime does; a crash loses what comes after so many writes. */
export type Reconcile = Readonly<{ crashAfterWrites?: number }>

export class SimulatedLife {
  readonly cluster: SimulatedCluster
  readonly store = new Map<string, unknown>()
  /** Pods of a run that exists, let go before the status told how they or their attempt ended: their verdict could have been lost. */
  readonly releasedUnrecorded: string[] = []
  /** Attempts started under a number that the status had shown before: their checkpoints would collide. */
  readonly reusedNumbers: number[] = []
  /** What Kubernetes records about a pod that does not start. */
  complaint: string | undefined
  complaintsRead = 0
  /** What Kueue says about a Job that waits in a queue. */
  queueAnswer: QueueAnswer = { kind: 'NoApi' }
  storeIsDown = false
  #reports = new Map<string, TrainingRunProgress>()
  #steps = new Map<string, Readonly<{ from: number; now: number }>>()
  #checkpoint = 0
  #shown = new Set<number>()

  readonly #controller = trainingRunController({
    settings: { ...settings, pools: [a100] },
    store: {
      dataManifest: () => this.#ask('data'),
      attemptVerdict: (_run, attempt) => this.#ask(`attempt ${attempt}`),
      resultManifest: () => this.#ask('result'),
      publishManifest: () => this.#ask('publish'),
    },
    progress: { of: (uid) => this.#reports.get(uid), paceOf: () => undefined },
    warnings: { latest: async () => this.#complain() },
    queue: { of: async () => this.queueAnswer },
    nodes: { labelsOf: async () => ({}) },
  })

  constructor(spec: Partial<TrainingRunSpec> = {}) {
    this.cluster = new SimulatedCluster(aTrainingRun(spec))
  }

  get status(): TrainingRunStatus {
    return this.cluster.run?.status ?? {}
  }

  async plan(): Promise<Plan> {
    const { run } = this.cluster
    const context = { cache: this.cluster.cache() as Cache, world: { now: () => this.cluster.now() }, signal: new AbortController().signal }
    if (!run) return this.#controller.lookAbsent({ namespace: 'team', name: 'sft' }, context as never)
    return this.#controller.look(run, context as never)
  }

  async reconcile({ crashAfterWrites }: Reconcile = {}): Promise<Plan> {
    const plan = await this.plan()
    for (const write of plan.writes.slice(0, crashAfterWrites)) {
      if (write.op === 'release') this.#noteRelease(write.ref.name)
      if (write.op === 'create') this.#noteStart(write.object)
      this.cluster.write(write)
    }
    if (crashAfterWrites === undefined && plan.status) this.cluster.writeStatus(trainingRunStatusSchema.parse(plan.status)) // unknown fields are pruned
    for (const { number } of this.status.attempts ?? []) this.#shown.add(number)
    return plan
  }

  /** Reconciles until there is nothing left to do; fails if that does not come. */
  async settle(): Promise<void> {
    for (let pass = 0; pass < 10; pass += 1) {
      const before = this.status
      const { writes, status } = await this.reconcile()
      if (writes.length === 0 && (status === undefined || sameJson(status, before))) return
    }
    throw new Error(`ten passes and still something to write; state ${this.status.state}`)
  }

  /** Pods get a node and run; those being deleted end within their grace period. */
  runKubelet(): void {
    for (const pod of this.cluster.pods()) {
      if (isTerminal(pod)) continue
      if (pod.metadata.deletionTimestamp !== undefined) this.#stop(pod)
      else if (pod.status?.phase === 'Pending') this.#start(pod)
    }
  }

  /** The running program does so many steps, and ends well after the last one. */
  train(steps: number): void {
    for (const pod of this.running()) {
      if (pod.metadata.labels?.[ROLE] === 'prepare') this.#prepared(pod)
      else if (pod.metadata.labels?.[ROLE] === 'publish') this.#published(pod)
      else this.#advance(pod, steps)
    }
  }

  /** The evaluation of its gate ends with this rate, once it is there. */
  measure(rate: string): void {
    for (const child of this.cluster.children()) {
      if (child.kind !== 'SWEBenchEval' || 'status' in child) continue
      const conditions = [{ type: 'Complete', status: 'True', reason: 'Succeeded', message: '', lastTransitionTime: toSeconds(this.cluster.now()) }]
      const measured = { ...child, status: { state: 'Succeeded', conditions, resolvedRate: { value: rate } } }
      this.cluster.write({ op: 'apply', object: measured })
    }
  }

  /** SIGKILL: no verdict. `Committed`: after the result was committed, before anything else was said. */
  kill(when: 'Anywhere' | 'Committed' = 'Anywhere'): void {
    for (const pod of this.running()) {
      if (when === 'Committed' && pod.metadata.labels?.[ROLE] === 'train') this.store.set('result', { verdict: completed(numberOf(pod) ?? 0) })
      this.#end(pod, 137)
    }
  }

  fail(exitCode: number, reason: string): void {
    for (const pod of this.running()) this.#end(pod, exitCode, { ...preempted(numberOf(pod) ?? 0, this.#span(pod)), exitCode, reason })
  }

  running(): readonly Pod[] {
    return this.cluster.pods().filter((pod) => pod.status?.phase === 'Running' && !isTerminal(pod))
  }

  restartOperator(): void {
    this.#reports.clear()
  }

  loseStatus(): void {
    if (!this.cluster.run) return
    const { status: _, ...run } = this.cluster.run
    this.cluster.run = run
  }

  /** Until the next pod runs; its program has done nothing yet. */
  async bringUp(): Promise<void> {
    await this.settle()
    this.cluster.seconds += 300
    await this.settle()
    this.cluster.runJobController()
    this.runKubelet()
    await this.settle()
  }

  /** Everybody does their part for so many minutes, or until the run is finished or in a state. */
  async goOn(rounds: number, until?: string): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.settle()
      if (this.cluster.run && (isFinished(this.cluster.run) || this.status.state === until)) return
      this.cluster.runJobController()
      this.cluster.collectGarbage()
      this.runKubelet()
      this.train(CHECKPOINT_EVERY)
      this.measure('0.5000')
      this.cluster.seconds += 60
    }
  }

  #noteStart(job: KubeObject): void {
    const number = numberOf(job) ?? 0
    if (job.metadata.labels?.[ROLE] === 'train' && this.#shown.has(number)) this.reusedNumbers.push(number)
  }

  #noteRelease(name: string): void {
    const pod = this.cluster.pods().find(({ metadata }) => metadata.name === name)
    const record = this.status.attempts?.find(({ number }) => pod && number === numberOf(pod))
    const isTold = record?.earlierPods?.some((earlier) => earlier.name === name) ?? false
    if (this.cluster.run && !isTold && (record === undefined || record.state === 'Running')) this.releasedUnrecorded.push(name)
  }

  #start(pod: Pod): void {
    this.#steps.set(pod.metadata.uid ?? '', { from: this.#checkpoint, now: this.#checkpoint })
    const state = { running: { startedAt: toSeconds(this.cluster.now()) } }
    this.cluster.update(pod, { phase: 'Running', containerStatuses: [{ name: 'program', state }] }, 'node-1')
  }

  #isBudgetSpent(pod: Pod): boolean {
    const job = this.cluster.jobs().find(({ metadata }) => metadata.uid === controllerOf(pod)?.uid)
    const told = job?.spec?.template.spec?.containers[0]?.env?.find(({ name }) => name === 'SWE_BUDGET_SECONDS')?.value
    const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt
    if (told === undefined || startedAt === undefined) return false
    return this.cluster.now().getTime() - Date.parse(startedAt) >= Number(told) * 1000
  }

  #stop(pod: Pod, exitCode = 75, reason = 'Preempted'): void {
    if (pod.metadata.labels?.[ROLE] !== 'train' || pod.status?.phase !== 'Running') return this.#end(pod, 143)
    const span = this.#span(pod)
    this.#checkpoint = span.to
    const verdict = { ...preempted(numberOf(pod) ?? 0, span), exitCode, reason }
    this.store.set(`attempt ${verdict.attempt}`, verdict)
    this.#end(pod, exitCode, verdict)
  }

  #advance(pod: Pod, steps: number): void {
    const { from, to } = this.#span(pod)
    const now = Math.min(TOTAL_STEPS, to + steps)
    this.#steps.set(pod.metadata.uid ?? '', { from, now })
    this.#checkpoint = Math.max(this.#checkpoint, now - (now % CHECKPOINT_EVERY))
    const attempt = numberOf(pod) ?? 0
    const percent = Math.min(99, Math.floor((100 * now) / TOTAL_STEPS))
    this.#reports.set('run-uid', { attempt, step: now, totalSteps: TOTAL_STEPS, percent, updatedTime: toSeconds(this.cluster.now()) })
    if (now === TOTAL_STEPS) return this.#complete(pod, completed(attempt, from))
    if (this.#isBudgetSpent(pod)) this.#stop(pod, 76, 'BudgetExceeded')
  }

  #complete(pod: Pod, verdict: TrainVerdict): void {
    this.store.set('result', { verdict })
    this.store.set(`attempt ${verdict.attempt}`, verdict)
    this.#end(pod, 0, verdict)
  }

  #prepared(pod: Pod): void {
    this.store.set('data', { verdict: aPrepareVerdict() })
    this.#end(pod, 0, aPrepareVerdict())
  }

  #published(pod: Pod): void {
    this.store.set('publish', { verdict: published() })
    this.#end(pod, 0, published())
  }

  #end(pod: Pod, exitCode: number, verdict?: object): void {
    const said = verdict === undefined ? {} : { message: JSON.stringify(verdict) }
    const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt
    const terminated = { exitCode, ...(startedAt === undefined ? {} : { startedAt }), finishedAt: toSeconds(this.cluster.now()), ...said }
    this.cluster.update(pod, { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ name: 'program', state: { terminated } }] })
  }

  #span(pod: Pod): Readonly<{ from: number; to: number }> {
    const steps = this.#steps.get(pod.metadata.uid ?? '')
    return { from: steps?.from ?? 0, to: steps?.now ?? 0 }
  }

  #complain(): string | undefined {
    this.complaintsRead += 1
    return this.complaint
  }

  async #ask(key: string): Promise<unknown> {
    if (this.storeIsDown) throw new StoreError('Unreachable', 'connection refused')
    return this.store.get(key)
  }
}
