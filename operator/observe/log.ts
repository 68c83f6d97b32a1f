import { pino, stdTimeFunctions, type DestinationStream } from 'pino'

/** Structured logs: the message is constant, what varies is a field. */
export type Log = Readonly<{
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log whose every line carries these fields. */
  child(fields: object): Log
}>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** JSON lines on stdout, or wherever `destination` leads; an error goes into the field `err`. */
export function createLog(level: LogLevel = 'info', destination?: DestinationStream): Log {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label: string) => ({ level: label }) } }
  return destination === undefined ? pino(options) : pino(options, destination)
}

export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}
