// What programs left sealed in the store, for an owner that has to know it from there alone.
import type { Verdict } from '../../operator/control/plan.ts'
import { isConsulted, isFinished, isGoing, type Lived } from '../shared/lifecycle.ts'
import { isLive, type Child } from './children.ts'
import { verdictIn, type Read } from './verdict.ts'

type Ended<V> = Child & Readonly<{ verdict?: V }>
type Coded = Readonly<{ exitCode: number }>

/** A program of one role and its commit marker. */
export type Sealed<V extends Coded = Coded> = Readonly<{
  children: readonly Ended<V>[]
  /** Whether nothing is to be asked because it is known already, for example from the status. */
  isKnown: boolean
  /** Asks the store, and may reject. */
  manifest(): Promise<unknown>
  read(raw: unknown): Read<V>
}>

/** Whether the store has told if the owner was finished before, and why it did not answer where it had to be asked. */
export type Consulted = Readonly<{ consulted: boolean; storeTrouble?: string }>

/** By name what each program left. */
export async function consult<Left extends Readonly<Record<string, Coded>>>(owner: Lived, programs: Readonly<{ [Name in keyof Left]: Sealed<Left[Name]> }>): Promise<Readonly<Partial<Left>> & Consulted> {
  const consulted = isConsulted(owner)
  const left: { [Name in keyof Left]?: Left[Name] } = {}
  const keep = <Name extends keyof Left>(name: Name, verdict: Left[Name] | undefined): void => {
    if (verdict !== undefined) left[name] = verdict
  }
  if (isFinished(owner) || isGoing(owner)) return { ...left, consulted }
  try {
    for (const name in programs) keep(name, await verdictOf(programs[name], consulted))
    return { ...left, consulted: true }
  } catch (error) {
    for (const name in programs) keep(name, succeeded(programs[name].children))
    return { ...left, consulted, storeTrouble: error instanceof Error ? error.message : String(error) }
  }
}

/** The verdict of the newest Job that succeeded, if a Job is left that tells. */
export function succeeded<V extends Coded>(children: readonly Ended<V>[]): V | undefined {
  return children.findLast(({ verdict }) => verdict?.exitCode === 0)?.verdict
}

/** As its pod says or, on the first visit and where a pod that is gone might have sealed something, the store. */
export async function verdictOf<V extends Coded>({ children, isKnown, manifest, read }: Sealed<V>, consulted: boolean): Promise<V | undefined> {
  const fromPod = succeeded(children)
  if (fromPod !== undefined || isKnown || (consulted && !isUnexplained(children))) return fromPod
  return read(verdictIn(await manifest())).verdict
}

function isUnexplained(children: readonly Ended<Coded>[]): boolean {
  return children.length > 0 && !children.some(isLive) && children.at(-1)?.verdict === undefined
}

const STORE_RETRY_SECONDS = 15 // the store is no cheaper to ask often, and a person waits

/** A policy of every kind: what comes next depends on what lies there. */
export function waitForStore({ storeTrouble, consulted }: Consulted): Verdict | undefined {
  if (storeTrouble === undefined) return undefined
  const message = `${storeTrouble}. It is asked again every ${STORE_RETRY_SECONDS} s.`
  return { ready: consulted ? 'False' : 'Unknown', reason: 'StoreUnavailable', message, again: STORE_RETRY_SECONDS }
}
