import { cpus, release, totalmem } from 'node:os'

/** Figures by name with the unit in the name, and the most that some of them may be. */
export type Measured = Readonly<{ metrics: Readonly<Record<string, number>>; targets: Readonly<Record<string, number>> }>

/** Measures, telling on the way what it does. */
export type Bench = (say: (line: string) => void) => Promise<Measured>

/** What a bench ends with: `held` if every target was met. */
export type BenchVerdict = Measured & Readonly<{ bench: string; held: boolean; machine: Readonly<Record<string, string | number>> }>

export function verdictOn(bench: string, { metrics, targets }: Measured): BenchVerdict {
  const held = Object.entries(targets).every(([name, most]) => (metrics[name] ?? Infinity) <= most)
  const [cpu] = cpus()
  const machine = { cpu: cpu?.model ?? 'unknown', cores: cpus().length, memoryGiB: Math.round(totalmem() / 2 ** 30), kernel: release(), node: process.version }
  return { bench, metrics, targets, held, machine }
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN
}

export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits))
}
