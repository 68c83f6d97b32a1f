/** What the API server says went wrong, as it says it in a Status object. */
export type StatusDetails = Readonly<{
  name?: string
  kind?: string
  uid?: string
  causes?: readonly Readonly<{ reason?: string; message?: string; field?: string }>[]
  retryAfterSeconds?: number
}>

type ApiErrorFields = Readonly<{ code: number; reason: string; message: string; details?: StatusDetails; retryAfterSeconds?: number }>

/** The API server answered, and the answer is no. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status. */
  readonly code: number
  /** The machine-readable reason, such as `NotFound`; empty if the server gave none. */
  readonly reason: string
  readonly details: StatusDetails
  /** Seconds the server asked us to wait; absent if it did not. */
  readonly retryAfterSeconds?: number

  constructor(fields: ApiErrorFields) {
    super(fields.message)
    this.code = fields.code
    this.reason = fields.reason
    this.details = fields.details ?? {}
    if (fields.retryAfterSeconds !== undefined) this.retryAfterSeconds = fields.retryAfterSeconds
  }
}

/** Every way in which no usable answer came, with what it means. */
export const TRANSPORT_FAULTS = {
  UNREACHABLE: 'the API server cannot be reached; the request was not sent',
  CONNECTION_LOST: 'the connection was lost before the answer was complete; the request may have taken effect',
  DEADLINE: 'no complete answer came in time; the request may have taken effect',
  SILENT: 'the stream carried nothing for too long',
  TRUNCATED: 'the stream ended in the middle of a value',
  MALFORMED: 'the answer is not the JSON it should be',
  OVERSIZED: 'one value of the stream is larger than this client accepts',
  CLOSED: 'this transport is closed',
} as const

export type TransportFault = keyof typeof TRANSPORT_FAULTS

/** No usable answer came from the API server. */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly fault: TransportFault

  constructor(fault: TransportFault, cause?: unknown) {
    const because = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
    super(`${TRANSPORT_FAULTS[fault]}${because}`, cause === undefined ? undefined : { cause })
    this.fault = fault
  }
}

/** Trying again cannot help: the user, or a new version of something, has to change first. */
export class Terminal extends Error {
  override readonly name = 'Terminal'
  /** UpperCamelCase, fit for a condition. */
  readonly reason: string

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** Worth another try later; `afterSeconds` if it is known when. */
export class Retryable extends Error {
  override readonly name = 'Retryable'
  readonly afterSeconds?: number

  constructor(message: string, options?: ErrorOptions & { afterSeconds?: number }) {
    super(message, options)
    if (options?.afterSeconds !== undefined) this.afterSeconds = options.afterSeconds
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 404
}

/** Someone else changed the object, or a precondition did not hold. */
export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 409 && error.reason !== 'AlreadyExists'
}

export function isAlreadyExists(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists'
}

/** The resource version asked for is no longer in the server's history. */
export function isExpired(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.code === 410 || error.reason === 'Expired' || error.reason === 'Gone')
}

/** The resource version asked for lies in the future of the server that answered: another replica, or a restored backup. */
export function isTooLargeResourceVersion(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false
  return error.details.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge') === true || error.message.includes('Too large resource version')
}

/** The object as sent breaks the schema, a validation rule or an admission policy. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.code === 422 || error.code === 400)
}

export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 403
}
