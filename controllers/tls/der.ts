/** Writes the few ASN.1 types that a certificate is made of (X.690, DER). Nothing here reads DER. */

const CONSTRUCTED = 0x20
const CONTEXT = 0x80

export const sequence = (...parts: readonly Buffer[]): Buffer => tagged(0x30, Buffer.concat(parts))
export const set = (...parts: readonly Buffer[]): Buffer => tagged(0x31, Buffer.concat(parts))
export const octets = (content: Buffer): Buffer => tagged(0x04, content)
export const text = (content: string): Buffer => tagged(0x0c, Buffer.from(content, 'utf8'))
export const yes = (): Buffer => tagged(0x01, Buffer.from([0xff]))

/** `[n] EXPLICIT`: the value keeps its own tag inside. */
export const explicit = (n: number, content: Buffer): Buffer => tagged(CONTEXT | CONSTRUCTED | n, content)
/** `[n] IMPLICIT` of a primitive type: the tag replaces the value's own. */
export const implicit = (n: number, content: Buffer): Buffer => tagged(CONTEXT | n, content)

/** A non-negative integer, most significant byte first; a leading zero byte keeps it positive. */
export function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const minimal = start === -1 ? Buffer.from([0]) : bytes.subarray(start)
  const negative = (minimal[0] ?? 0) >= 0x80
  return tagged(0x02, negative ? Buffer.concat([Buffer.from([0]), minimal]) : minimal)
}

/** A whole number of bytes as a BIT STRING. */
export const bits = (content: Buffer): Buffer => tagged(0x03, Buffer.concat([Buffer.from([0]), content]))

/** Named bits, such as key usages: bit 0 is the most significant, trailing zero bits are left out. */
export function namedBits(positions: readonly number[]): Buffer {
  const last = Math.max(...positions)
  const content = Buffer.alloc(Math.floor(last / 8) + 2)
  content[0] = 7 - (last % 8)
  for (const position of positions) {
    const index = Math.floor(position / 8) + 1
    content[index] = (content[index] ?? 0) | (0x80 >> position % 8)
  }
  return tagged(0x03, content)
}

/** `1.2.840.10045.4.3.2` as an OBJECT IDENTIFIER. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** UTCTime until 2049, GeneralizedTime after, as RFC 5280 §4.1.2.5 wants it. */
export function time(when: Date): Buffer {
  const digits = when.toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return when.getUTCFullYear() < 2050
    ? tagged(0x17, Buffer.from(digits.slice(2), 'ascii'))
    : tagged(0x18, Buffer.from(digits, 'ascii'))
}

function base128(value: number): number[] {
  const groups = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) groups.unshift((rest & 0x7f) | 0x80)
  return groups
}

function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content])
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes])
  const long = bytes < 0x100 ? [bytes] : [bytes >>> 8, bytes & 0xff]
  return Buffer.from([0x80 | long.length, ...long])
}
