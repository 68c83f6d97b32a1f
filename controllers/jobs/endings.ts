// Every word for how a program of ours ended, and whether it is run again.
import exitCodes from '../../workloads/swe_workloads/exit_codes.json' with { type: 'json' }

/** `Never`: it would end the same way. `Counted`: again, within spec.retries.limit. `Always`: not the run's fault. */
export type Retry = 'Never' | 'Counted' | 'Always'

export type Ending = Readonly<{ reason: string; retry: Retry; message: string }>

/** How a program ends by its own exit code; the programs read the same table. */
export function endingOfExitCode(code: number): Ending | undefined {
  return programEndings.find((ending) => ending.code === code)
}

/** Exit codes after which Kubernetes must not try again by itself, because we decide. */
export function failingExitCodes(): readonly number[] {
  return programEndings.filter(({ code }) => code !== 0).map(({ code }) => code)
}

/** How a program is ended by others: no verdict was left, so the kubelet's evidence speaks. */
export const ended = {
  OOMKilled: { reason: 'HostOutOfMemory', retry: 'Counted', message: 'A process of the pod was killed because the container exceeded its memory limit; raise compute.memory or lower batch.perDevice.' },
  Evicted: { reason: 'Evicted', retry: 'Always', message: 'The kubelet evicted the pod.' },
  Disrupted: { reason: 'Preempted', retry: 'Always', message: 'The pod had to leave its node.' },
  NodeLost: { reason: 'NodeLost', retry: 'Always', message: 'The node of the pod is gone.' },
  Deleted: { reason: 'Deleted', retry: 'Always', message: 'The pod was deleted.' },
  Gone: { reason: 'Deleted', retry: 'Always', message: 'Job and pod are gone and left no verdict.' },
  DeadlineExceeded: { reason: 'DeadlineExceeded', retry: 'Counted', message: 'The Job ran into a deadline that somebody set; remove its activeDeadlineSeconds.' },
  Crashed: { reason: 'Crashed', retry: 'Counted', message: 'The program ended without a verdict; its log may tell more: kubectl logs.' },
} as const satisfies Record<string, Ending>

/** Reasons this version does not know, such as those of a newer program, are counted: neither endless nor final. */
export function retryOf(reason: string): Retry {
  const known = endings.find((ending) => ending.reason === reason)
  return known?.retry ?? 'Counted'
}

/** What the table says to do about an end of this reason, whatever the program itself said. */
export function remedyFor(reason: string): string | undefined {
  return [...programEndings, ...Object.values(ended)].find((ending) => ending.reason === reason)?.message
}

const programEndings: readonly (Ending & Readonly<{ code: number }>)[] = exitCodes.map((entry) => ({ ...entry, retry: parseRetry(entry.retry) }))

/** Every way in which an attempt can end. */
export const endings: readonly Ending[] = [...programEndings, ...Object.values(ended)]

function parseRetry(word: string): Retry {
  if (word === 'Never' || word === 'Counted' || word === 'Always') return word
  throw new TypeError(`exit_codes.json says retry ${JSON.stringify(word)}; known are Never, Counted, Always`)
}
