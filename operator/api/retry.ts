import type { Dispatcher } from 'undici'
import type { World } from '../world.ts'
import { ApiError, isTooLargeResourceVersion, TransportError, type StatusDetails } from './errors.ts'

const MAX_RETRIES = 3 // more would hold a reconcile that the queue can try again later anyway
const CONNECT_RETRY_MS = 100 // bridges a stale keep-alive connection or the switch to another API server
const ERROR_TEXT_CHARACTERS = 300

const NEVER_SENT = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$|CERT|SELF_SIGNED|^ERR_TLS|^UNABLE_TO/
const CLOSED = /^UND_ERR_(DESTROYED|CLOSED)$/

/** What of a request decides whether it may be sent twice. */
export type Retried = Readonly<{ method: string; contentType?: string; call: Readonly<{ verb: string }> }>

/** How long to wait before trying the same request again; undefined where that would be useless or could do harm. */
export function retryDelayMs(request: Retried, error: unknown, retries: number, world: World): number | undefined {
  if (retries >= MAX_RETRIES || request.call.verb === 'watch') return undefined // a reflector has its own patience
  if (isTooLargeResourceVersion(error)) return undefined // asking again for the same future helps nobody
  const backoffMs = CONNECT_RETRY_MS * 2 ** retries * (1 + world.random())
  if (error instanceof ApiError) {
    const isSafe = error.code === 429 || (error.code >= 500 && isIdempotent(request))
    return isSafe && error.retryAfterSeconds !== undefined ? Math.max(error.retryAfterSeconds * 1000, backoffMs) : undefined
  }
  if (!(error instanceof TransportError)) return undefined
  const isSafe = error.fault === 'UNREACHABLE' || (error.fault === 'CONNECTION_LOST' && isIdempotent(request))
  return isSafe ? backoffMs : undefined
}

/** Whether doing it twice is the same as once. A JSON patch may add to a list, a POST creates. */
function isIdempotent({ method, contentType }: Retried): boolean {
  return method !== 'POST' && contentType !== 'application/json-patch+json'
}

/** Gives an error of the HTTP client its meaning: was the request sent or not. */
export function asTransportError(error: unknown): ApiError | TransportError {
  if (error instanceof ApiError || error instanceof TransportError) return error
  const { code = '', syscall = '' } = error instanceof Error ? (error as NodeJS.ErrnoException) : {}
  if (CLOSED.test(code)) return new TransportError('CLOSED', error)
  return new TransportError(NEVER_SENT.test(code) || syscall === 'connect' ? 'UNREACHABLE' : 'CONNECTION_LOST', error)
}

export async function readApiError({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<ApiError> {
  const text = await body.text()
  return toApiError(parseStatus(text), { code: statusCode, text, retryAfter: headers['retry-after'] })
}

export type Status = Readonly<{ code?: number; reason?: string; message?: string; details?: StatusDetails }>

/** `around` is what else is known of the answer, for what the Status does not say. */
export function toApiError(status: Status, around: Readonly<{ code: number; text?: string; retryAfter?: unknown }>): ApiError {
  const header = Number(around.retryAfter ?? Number.NaN)
  const retryAfterSeconds = Number.isFinite(header) ? header : status.details?.retryAfterSeconds
  return new ApiError({
    code: status.code ?? around.code,
    reason: status.reason ?? '',
    message: status.message ?? (around.text?.trim().slice(0, ERROR_TEXT_CHARACTERS) || `the API server answered ${around.code}`),
    ...(status.details ? { details: status.details } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

/** Proxies and webhooks answer in their own words; only a Status object is taken apart. */
function parseStatus(text: string): Status {
  try {
    const value: unknown = JSON.parse(text)
    return isStatus(value) ? value : {}
  } catch {
    return {}
  }
}

export function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status'
}
