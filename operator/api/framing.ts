import { TransportError } from './errors.ts'

const MAX_VALUE_BYTES = 32 * 1024 * 1024 // etcd stores at most 1.5 MiB an object by default; more than this is not one
const NEWLINE = 0x0a
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const CLOSE_BRACKET = 0x5d
const ITEMS = Buffer.from('"items":[')
const EMPTY = Buffer.alloc(0)
const whole: (text: Buffer) => Buffer = (text) => text

/** Cuts a byte stream into JSON texts, so that each can be parsed alone and the event loop breathes between them. */
export type Framing = Readonly<{
  /** The texts completed by this chunk. */
  push(chunk: Buffer): readonly string[]
  /** What is left at the clean end of the stream; throws if that is half a value. */
  finish(): readonly string[]
}>

/** What of an object's JSON is worth parsing; the result must be JSON again. */
export type Trim = (text: Buffer) => Buffer

export type FramingOptions = Readonly<{ maxBytes?: number; trim?: Trim | undefined }>

/** One value a line, as a watch sends them. */
export function lineFraming({ maxBytes = MAX_VALUE_BYTES, trim = whole }: FramingOptions = {}): Framing {
  let parts: Buffer[] = []
  let bytes = 0
  const keep = (part: Buffer): void => {
    bytes += part.length
    if (bytes > maxBytes) throw new TransportError('OVERSIZED')
    if (part.length > 0) parts.push(part)
  }
  const take = (): string => {
    const [only = EMPTY] = parts
    const text = trim(parts.length < 2 ? only : Buffer.concat(parts, bytes)).toString('utf8')
    parts = []
    bytes = 0
    return text
  }
  return {
    push: (chunk) => {
      const lines: string[] = []
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end))
        lines.push(take())
        start = end + 1
      }
      keep(chunk.subarray(start))
      return lines.filter((line) => line.trim() !== '')
    },
    finish: () => {
      if (take().trim() !== '') throw new TransportError('TRUNCATED')
      return []
    },
  }
}

/** The items of a List object one by one, and last the list itself with no items; other JSON comes out whole. */
export function listFraming({ maxBytes = MAX_VALUE_BYTES, trim = whole }: FramingOptions = {}): Framing {
  let state: 'Head' | 'Items' | 'Tail' = 'Head'
  let envelope = ''
  let pending: Buffer = EMPTY
  const scan = createScan(trim)
  const enterItems = (): void => {
    const at = pending.indexOf(ITEMS)
    if (at < 0) return
    envelope = pending.toString('utf8', 0, at + ITEMS.length)
    pending = pending.subarray(at + ITEMS.length)
    state = 'Items'
  }
  return {
    push: (chunk) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
      if (state === 'Head') enterItems()
      if (state !== 'Items') return []
      const { texts, used, ended } = scan(pending)
      pending = pending.subarray(used)
      if (ended) state = 'Tail'
      else if (pending.length > maxBytes) throw new TransportError('OVERSIZED')
      return texts
    },
    finish: () => {
      if (state === 'Items') throw new TransportError('TRUNCATED')
      return [envelope + pending.toString('utf8')]
    },
  }
}

type Scanned = Readonly<{ texts: string[]; used: number; ended: boolean }>

/** Finds objects by counting braces outside strings; keeps its place between calls, so that no byte is looked at twice. */
function createScan(trim: Trim): (bytes: Buffer) => Scanned {
  let at = 0
  let depth = 0
  let inString = false
  return (bytes) => {
    const texts: string[] = []
    let start = 0
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at]
      if (inString) {
        if (byte === BACKSLASH) at += 1
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN_BRACE) {
        if (depth === 0) start = at
        depth += 1
      } else if (byte === CLOSE_BRACE) {
        depth -= 1
        if (depth === 0) texts.push(trim(bytes.subarray(start, at + 1)).toString('utf8'))
        if (depth === 0) start = at + 1
      } else if (byte === CLOSE_BRACKET && depth === 0) return { texts, used: at, ended: true }
    }
    const used = depth === 0 ? bytes.length : start
    at -= used
    return { texts, used, ended: false }
  }
}
