/** Every way in which the endpoint says no. Programs in pods decide by `code`; people read `message`. */
export const REFUSALS = {
  InvalidRequest: 400,
  InvalidKey: 400,
  TooManyObjects: 400,
  BodyTooLarge: 413,
  Unauthenticated: 401,
  PodNotAllowed: 403,
  RunNotFound: 404,
  RunGone: 410,
  Exists: 409,
  RouteNotFound: 404,
  NotReady: 503,
  NotLeading: 503,
  Busy: 503,
  StoreUnavailable: 503,
  Internal: 500,
} as const

export type RefusalCode = keyof typeof REFUSALS

/** A request that is answered with an error body. The message never repeats a token or a signed URL. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly status: number

  constructor(code: RefusalCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = REFUSALS[code]
  }
}
