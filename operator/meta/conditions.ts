import { toSeconds } from './time.ts'

/** A metav1.Condition as it stands in a status. */
export type Condition = Readonly<{
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  /** RFC 3339, whole seconds: when `status` last changed. */
  lastTransitionTime: string
  observedGeneration?: number | undefined
}>

/** A condition as a plan states it; the time of its last transition follows from what stood there before. */
export type ConditionIntent = Omit<Condition, 'lastTransitionTime'>

// The limits of metav1.Condition: the API server refuses the whole status write beyond them.
const MAX_TYPE_LENGTH = 316
const MAX_REASON_LENGTH = 1024
const MAX_MESSAGE_LENGTH = 32_768
const REASON_PATTERN = /^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/

/**
 * Exactly the conditions of `next`, in their order; `lastTransitionTime` moves only where a status changed.
 * Throws a TypeError for a type or reason the API server would refuse; messages are cut.
 */
export function setConditions(
  previous: readonly Condition[] | undefined,
  next: readonly ConditionIntent[],
  now: Date,
): readonly Condition[] {
  return next.map((intent) => {
    assertLegal(intent)
    const before = conditionOf(previous, intent.type)
    const lastTransitionTime = before?.status === intent.status ? before.lastTransitionTime : toSeconds(now)
    return { ...intent, message: cut(intent.message), lastTransitionTime }
  })
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

function assertLegal({ type, reason }: ConditionIntent): void {
  if (type === '' || type.length > MAX_TYPE_LENGTH) throw new TypeError(`condition type ${JSON.stringify(type)} has an illegal length`)
  if (reason.length > MAX_REASON_LENGTH || !REASON_PATTERN.test(reason)) {
    throw new TypeError(`condition ${type} has the illegal reason ${JSON.stringify(reason)}`)
  }
}

function cut(message: string): string {
  return message.length <= MAX_MESSAGE_LENGTH ? message : `${message.slice(0, MAX_MESSAGE_LENGTH - 1)}…`
}
