import { setTimeout as sleep } from 'node:timers/promises'
import type { TrainingRun } from '../../crds/training-run.ts'

const REDRAW_EVERY_MS = 1_000
const BAR_WIDTH = 24

let lineIsOpen = false

/** A line that stays; the live progress line moves below it. */
export function say(line: string): void {
  closeScreen()
  process.stdout.write(`${line}\n`)
}

/** Ends the live line, so that what follows starts on a line of its own. */
export function closeScreen(): void {
  if (lineIsOpen) process.stdout.write('\n')
  lineIsOpen = false
}

/** Shows one live line until stopped; on a pipe, a line for each change. */
export function follow(read: () => Promise<string>): Readonly<{ stop(): Promise<void> }> {
  const stopping = new AbortController()
  const drawing = draw(read, stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await drawing
      closeScreen()
    },
  }
}

async function draw(read: () => Promise<string>, signal: AbortSignal): Promise<void> {
  let last = ''
  while (!signal.aborted) {
    const line = await read().catch(() => last) // an API server that is away for a moment
    if (line !== last) write(line)
    last = line
    await sleep(REDRAW_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

function write(line: string): void {
  if (!process.stdout.isTTY) {
    process.stdout.write(`     ${line}\n`)
    return
  }
  process.stdout.write(`\r\x1b[K     ${line}`)
  lineIsOpen = true
}

/** `Running  [#####-----] 42 %  step 50/120  attempt 2  loss 2.31  8 s left`; only what the status knows. */
export function progressLine(run: TrainingRun | undefined): string {
  if (!run?.status?.state) return 'waiting for the operator'
  const { state, progress, attempts } = run.status
  if (!progress?.totalSteps) return state
  const percent = progress.percent ?? 0
  const filled = Math.round((percent / 100) * BAR_WIDTH)
  const loss = progress.metrics?.find((metric) => metric.name === 'loss')?.value
  const parts = [
    state,
    `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${percent} %`,
    `step ${progress.step ?? 0}/${progress.totalSteps}`,
    `attempt ${attempts?.at(-1)?.number ?? 1}`,
    ...(loss === undefined ? [] : [`loss ${Number(loss).toFixed(4)}`]),
    ...(progress.etaSeconds === undefined ? [] : [`${progress.etaSeconds} s left`]),
  ]
  return parts.join('  ')
}
