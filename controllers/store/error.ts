/** What can go wrong between us and the store, and whether trying again can help. */
export const STORE_FAULTS = {
  Unreachable: { retryable: true, meaning: 'the artifact store cannot be reached' },
  Timeout: { retryable: true, meaning: 'the artifact store did not answer in time' },
  Unavailable: { retryable: true, meaning: 'the artifact store is failing or overloaded' },
  Denied: { retryable: true, meaning: 'the artifact store refuses our key' }, // keys are rotated and policies repaired without us
  NoKey: { retryable: true, meaning: 'the key of the artifact store cannot be read' },
  NoBucket: { retryable: true, meaning: 'the bucket does not exist' },
  Malformed: { retryable: false, meaning: 'the object is not what it should be' },
  TooLarge: { retryable: false, meaning: 'there is more than one answer may hold' },
  Refused: { retryable: true, meaning: 'the artifact store refuses the request' }, // a wrong region or endpoint is repaired without us, too, and says nothing of the object
} as const

export type StoreFault = keyof typeof STORE_FAULTS

/** No usable answer came from the artifact store. The message never contains a signed URL. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreFault
  readonly retryable: boolean

  constructor(code: StoreFault, detail: string, cause?: unknown) {
    super(`${STORE_FAULTS[code].meaning}: ${detail}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = STORE_FAULTS[code].retryable
  }
}

/** The fault an S3 answer stands for; `s3Code` is the `<Code>` of its body. */
export function faultOf(status: number, s3Code: string): StoreFault {
  if (s3Code === 'NoSuchBucket') return 'NoBucket'
  if (status === 401 || status === 403) return 'Denied'
  if (status === 408 || status === 429 || status >= 500) return 'Unavailable'
  return 'Refused'
}
