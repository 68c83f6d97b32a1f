/** A run as the store knows it: its objects lie under `<namespace>/<uid>/`. */
export type RunPrefix = Readonly<{ namespace: string; uid: string }>

const MAX_KEY_BYTES = 1024 // S3's own limit
// Control characters and lone surrogates cannot be signed and logged faithfully.
const UNSPEAKABLE = /[\p{Cc}\p{Cs}]/u

/** The commit markers of a run, relative to its prefix. */
export const runKeys = {
  samplesManifest: 'samples/manifest.json',
  dataManifest: 'data/manifest.json',
  resultManifest: 'result/manifest.json',
  reportManifest: 'report/manifest.json',
  publishManifest: 'publish/manifest.json',
  /** A queue may have one attempt make several pods, one after the other: each says how it ended. */
  attemptVerdict: (attempt: number, pod: number) => `attempts/${attempt}/verdict${pod === 1 ? '' : `-${pod}`}.json`,
} as const

/** The objects of an evaluation, relative to its prefix. */
export const evalKeys = {
  index: (data: string) => `${data}index.json`,
  input: (data: string, ordinal: number) => `${data}inputs/${ordinal}.json`,
  /** Commits a try; apart from the outputs, so that one listing shows every try that has ended. */
  verdict: ({ ordinal, attempt }: Readonly<{ ordinal: number; attempt: number }>) => `${VERDICTS}${ordinal}/${attempt}.json`,
  output: ({ ordinal, attempt }: Readonly<{ ordinal: number; attempt: number }>, file: string) => `outputs/${ordinal}/${attempt}/${file}`,
} as const

export const VERDICTS = 'verdicts/'

/** A program of a run: which one it is, of which attempt, in which pod. */
export type Writer = Readonly<{ role: string | undefined; attempt: string | undefined; podUid: string | undefined }>

/** Whether a program may create an object of this key: its own output and its commit markers, never what another program or attempt writes. */
export function mayWrite({ role, attempt, podUid }: Writer, key: string): boolean {
  const owned: Readonly<Record<string, readonly string[]>> = {
    prepare: [`data/${podUid}/`, runKeys.dataManifest],
    generate: [`samples/${podUid}/`, runKeys.samplesManifest],
    report: [`report/${podUid}/`, runKeys.reportManifest],
    // A later pod of one attempt writes its result beside what an earlier one left: result/a1-2/.
    train: [`checkpoints/a${attempt}/`, `attempts/${attempt}/`, `result/a${attempt}/`, `result/a${attempt}-`, runKeys.resultManifest],
    publish: [runKeys.publishManifest],
  }
  return (owned[role ?? ''] ?? []).some((own) => (own.endsWith('.json') ? key === own : key.startsWith(own)))
}

/** Below a namespace's prefix, beside those of its runs: where its evaluations leave verdicts for later ones. */
export const VERDICT_CACHE = 'verdict-cache/'

// A number where the first object of that name leads to an evaluation that is gone: nothing is ever replaced.
const CACHE_ENTRY = /^[0-9a-f]{64}(-[2-9])?\.json$/

export type SharedRequest = Readonly<{ kind: string; role: string | undefined; method: 'GET' | 'PUT' }>

/** Whether a program may use an object of its namespace that is not its own run's: verdicts are for preparations of evaluations to read and for their reports to create, the rest can only be read. */
export function mayShare({ kind, role, method }: SharedRequest, key: string): boolean {
  if (!key.startsWith(VERDICT_CACHE)) return method === 'GET'
  if (kind !== 'SWEBenchEval' || !CACHE_ENTRY.test(key.slice(VERDICT_CACHE.length))) return false
  return method === 'GET' ? role === 'prepare' : role === 'report'
}

export function runPrefix({ namespace, uid }: RunPrefix): string {
  return `${namespace}/${uid}/`
}

/** Why this may not name an object; undefined if it may. */
export function keyProblem(key: string): string | undefined {
  if (key === '') return 'is empty'
  if (key.endsWith('/')) return 'ends with a slash'
  return prefixProblem(key)
}

/** Why this may not start a listing; undefined if it may. Empty means everything; the last segment may be a beginning. */
export function prefixProblem(prefix: string): string | undefined {
  if (Buffer.byteLength(prefix, 'utf8') > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`
  if (UNSPEAKABLE.test(prefix)) return 'contains a control character'
  if (prefix.startsWith('/')) return 'is absolute'
  const segments = prefix.split('/')
  if (segments.slice(0, -1).includes('')) return 'contains an empty segment'
  if (segments.some((segment) => segment === '..' || segment === '.')) return 'contains a dot segment'
  return undefined
}

/** The key a URI names inside our bucket, if it lies under this namespace; else why it does not. */
export function keyOfUri(uri: string, bucket: string, namespace: string): Readonly<{ key: string } | { problem: string }> {
  const own = `s3://${bucket}/${namespace}/`
  if (!uri.startsWith(own)) return { problem: `lies outside ${own}` }
  return { key: uri.slice(`s3://${bucket}/`.length) }
}

export function uriOf(bucket: string, key: string): string {
  return `s3://${bucket}/${key}`
}
