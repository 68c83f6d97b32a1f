const UNIT_BYTES: Readonly<Record<string, number>> = { Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, M: 1e6, G: 1e9, T: 1e12 }

/** Bytes of a quantity of memory as the definition admits it, such as 512Mi; throws a TypeError for anything else. */
export function bytesOf(memory: string): number {
  const [, number = '', unit = ''] = /^([0-9.]+)([A-Za-z]+)$/.exec(memory) ?? []
  const bytes = Number(number) * (UNIT_BYTES[unit] ?? Number.NaN)
  if (number === '' || !Number.isFinite(bytes)) throw new TypeError(`${JSON.stringify(memory)} is no quantity of memory such as 4Gi`)
  return bytes
}

/** Cores of a quantity of CPU, such as 2, "1.5" or "500m". */
export function coresOf(cpu: string): number {
  return cpu.endsWith('m') ? Number.parseInt(cpu, 10) / 1000 : Number(cpu)
}

/** Whole threads for each process within the cores asked for, at least one. Equal in every attempt, or sums would round differently. */
export function threadsFor(cpu: string, processes: number): number {
  return Math.max(1, Math.floor(coresOf(cpu) / processes))
}
