import { createHash } from 'node:crypto'

const MAX_LABEL_LENGTH = 63 // of a label value and of a DNS label (RFC 1123)
const HASH_DIGITS = 8 // 32 bits: two long names of one namespace collide once in billions

/** The name itself where it fits; otherwise its beginning and a hash of the whole, so long names stay distinct. */
export function boundedName(name: string, maxLength: number = MAX_LABEL_LENGTH): string {
  if (name.length <= maxLength) return name
  const start = name.slice(0, maxLength - HASH_DIGITS - 1).replace(/[-._]+$/, '')
  return `${start}-${createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS)}`
}

/** A name with this end, as long as a label may be: what is too long loses of its beginning alone. */
export function nameEnding(name: string, end: string): string {
  return `${boundedName(name, MAX_LABEL_LENGTH - end.length)}${end}`
}

/** A label value for any object name, which may be 253 characters long where a label may be 63. */
export function labelValue(name: string): string {
  return boundedName(name, MAX_LABEL_LENGTH)
}
