// Money and hours, exactly: decimal strings in and out, whole millionths between.

const DECIMAL = /^(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/
const PLACES = 6 // of a price for an hour; a second of a GPU costs hundreds of them
const PLACES_SHOWN = 4 // a minute on one CPU still shows

/** A non-negative decimal such as "1.5" or "2e-4" in millionths, half of one rounded up. Throws a TypeError for anything else. */
export function millionths(decimal: string): bigint {
  const [, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(decimal) ?? []
  if (whole === '') throw new TypeError(`${JSON.stringify(decimal)} is no decimal number`)
  const digits = BigInt(whole + fraction)
  const shift = Number(exponent) - fraction.length + PLACES
  return shift >= 0 ? digits * 10n ** BigInt(shift) : divideRounded(digits, 10n ** BigInt(-shift))
}

/** With four decimal places, half of the last one rounded up. */
export function toDecimal(value: bigint): string {
  const digits = divideRounded(value, 10n ** BigInt(PLACES - PLACES_SHOWN)).toString().padStart(PLACES_SHOWN + 1, '0')
  return `${digits.slice(0, -PLACES_SHOWN)}.${digits.slice(-PLACES_SHOWN)}`
}

/** Of non-negative numbers, half rounded up. */
export function divideRounded(dividend: bigint, divisor: bigint): bigint {
  return (2n * dividend + divisor) / (2n * divisor)
}
