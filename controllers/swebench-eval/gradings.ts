import { SWEBenchEvalType, type SWEBenchEval } from '../../crds/swebench-eval.ts'
import { keyOf, type ObjectKey } from '../../operator/api/object.ts'
import type { Service } from '../../operator/runtime.ts'
import { startGrading, type Grading, type GradingParts } from './grading.ts'
import type { GradingProgress } from './observed.ts'
import { Registries } from './registries.ts'
import { windowOf } from './resolve.ts'

const RETRY_MS = 5_000

export type GradingsOptions = Omit<GradingParts, 'registries'> & Readonly<{
  /** Looks at the evaluation soon. */
  wake(key: ObjectKey): void
}>

type Slot = { isOver: boolean; grading?: Grading }

/** Drives the sandboxes of every evaluation whose state asks for it, on the leader. */
export class Gradings {
  readonly #options: () => GradingsOptions
  /** By uid. */
  readonly #slots = new Map<string, Slot>()
  #registries: Registries | undefined
  #unsubscribe: (() => void) | undefined

  /** The options are asked for once the runtime exists. */
  constructor(options: () => GradingsOptions) {
    this.#options = options
  }

  /** Undefined while this process drives no sandboxes of the evaluation. */
  progressOf(uid: string): GradingProgress | undefined {
    return this.#slots.get(uid)?.grading?.progress()
  }

  service(): Service {
    return { name: 'gradings', runs: 'WhenLeading', start: async () => this.#start(), stop: () => this.#stop() }
  }

  #start(): void {
    const { cache } = this.#options()
    this.#unsubscribe = cache.onChange(SWEBenchEvalType, (before, after) => {
      const { uid = '' } = (after ?? before)?.metadata ?? {}
      const evaluation = cache.of(SWEBenchEvalType).get({ ...after?.metadata, name: after?.metadata.name ?? '' })
      if (evaluation) this.#look(evaluation)
      else this.#end(uid)
    })
  }

  async #stop(): Promise<void> {
    this.#unsubscribe?.()
    const all = [...this.#slots.values()]
    this.#slots.clear()
    for (const slot of all) slot.isOver = true
    await Promise.all(all.map(({ grading }) => grading?.stop()))
  }

  #look(evaluation: SWEBenchEval): void {
    const { uid = '', deletionTimestamp } = evaluation.metadata
    const slot = this.#slots.get(uid)
    if (wantsGrading(evaluation)) {
      if (slot === undefined) void this.#begin(uid, evaluation)
      else slot.grading?.resize(windowOf(evaluation))
      return
    }
    // The last pods are removed after the last row, by when the state has moved on.
    if (deletionTimestamp !== undefined || slot?.grading?.isDone() !== false) this.#end(uid)
  }

  async #begin(uid: string, evaluation: SWEBenchEval): Promise<void> {
    const slot: Slot = { isOver: false }
    this.#slots.set(uid, slot)
    const { cache, log, world, wake } = this.#options()
    const registries = (this.#registries ??= new Registries(world))
    const lookAgain = (): void => {
      const now = cache.of(SWEBenchEvalType).get(evaluation.metadata)
      if (now?.metadata.uid === uid) this.#look(now)
    }
    const advanced = (): void => {
      wake(evaluation.metadata)
      lookAgain()
    }
    while (!slot.isOver && slot.grading === undefined) {
      try {
        const grading = await startGrading(evaluation, { ...this.#options(), registries }, advanced)
        if (slot.isOver) {
          await grading.stop()
          return
        }
        slot.grading = grading
        lookAgain() // it may have been held since it was asked for
      } catch (error) {
        log.warn({ err: error, evaluation: keyOf(evaluation.metadata) }, 'the sandboxes of an evaluation cannot be driven yet; trying again')
        await world.sleep(RETRY_MS)
      }
    }
  }

  #end(uid: string): void {
    const slot = this.#slots.get(uid)
    if (slot === undefined) return
    this.#slots.delete(uid)
    slot.isOver = true
    void slot.grading?.stop()
  }
}

// While it is held, what runs is still watched to its end; while it is reported, a new leader removes what an old one left.
const DRIVEN = new Set(['Running', 'Suspending', 'Suspended', 'BudgetExceeded', 'InvalidBudget', 'StoreUnavailable', 'Reporting'])

function wantsGrading({ metadata, status }: SWEBenchEval): boolean {
  return metadata.deletionTimestamp === undefined && status?.data?.prefix !== undefined && DRIVEN.has(status.state ?? '')
}
