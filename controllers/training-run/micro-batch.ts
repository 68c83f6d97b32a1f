// How many rows pass through the GPU at once: fewer after CUDA out of memory, while a step always learns from the same rows.
import type { TrainingRunAttempt } from '../../crds/training-run.ts'

const OUT_OF_MEMORY = 'CUDAOutOfMemory'

/** Rows in one pass for the attempt that follows `last`; `perDevice` is what the specification asks for. */
export function microBatchAfter(last: TrainingRunAttempt | undefined, perDevice: number): number {
  const used = last?.perDevice ?? perDevice
  return last !== undefined && isOutOfMemory(last) ? (largestProperDivisor(used) ?? used) : used
}

export function isOutOfMemory({ reason }: TrainingRunAttempt): boolean {
  return reason === OUT_OF_MEMORY
}

/** Whether the GPU's memory was too small even for one row at a time. */
export function isOutOfMemoryForGood(attempt: TrainingRunAttempt): boolean {
  return isOutOfMemory(attempt) && largestProperDivisor(attempt.perDevice ?? 1) === undefined
}

/** Passes that make one step of the rows that the specification asks for. */
export function accumulationFor(microBatch: number, { perDevice, gradientAccumulation }: Readonly<{ perDevice: number; gradientAccumulation: number }>): number {
  return (perDevice * gradientAccumulation) / microBatch
}

/** A divisor, so that passes of it add up to the same rows; undefined for 1, which has none smaller. */
function largestProperDivisor(rows: number): number | undefined {
  for (let divisor = Math.floor(rows / 2); divisor >= 1; divisor -= 1) if (rows % divisor === 0) return divisor
  return undefined
}
