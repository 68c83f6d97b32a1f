import { createHmac, createSecretKey, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto'
import type { OwnSecret } from '../shared/own-secret.ts'
import { podKeyOf, type Sandbox } from '../swebench-eval/sandbox.ts'

export const CAPABILITY_SECRET = 'swe-operator-capabilities'

const KEY = 'key'
const KEY_BYTES = 32

/** What a sandbox shows instead of a token: good for the input and the outputs of one try, and for nothing else. */
export type Capabilities = Readonly<{
  /** Reads the key, or makes it if this replica is the first. */
  load(): Promise<void>
  /** The same for the same try, so that plans stay pure. Throws before `load`. */
  of(sandbox: Sandbox): string
  isOf(sandbox: Sandbox, offered: string): boolean
}>

/** Capabilities signed with a key that all replicas share. */
export function createCapabilities(secret: OwnSecret): Capabilities {
  let key: KeyObject | undefined // from bytes, each HMAC would make one
  const of = (sandbox: Sandbox): string => {
    if (key === undefined) throw new Error('the key of the capabilities is not loaded')
    const { namespace, name } = podKeyOf(sandbox)
    return createHmac('sha256', key).update(`${sandbox.uid}\0${namespace}\0${name}`).digest('hex')
  }
  return {
    load: async () => {
      const made = { [KEY]: randomBytes(KEY_BYTES).toString('base64') }
      const { data } = (await secret.read()) ?? (await secret.create(made))
      const bytes = Buffer.from(data[KEY] ?? '', 'base64')
      if (bytes.length !== KEY_BYTES) throw new Error(`Secret ${secret.name} has no key of ${KEY_BYTES} bytes; delete it, and restart the operator`)
      key = createSecretKey(bytes)
    },
    of,
    isOf: (sandbox, offered) => {
      const [wanted, got] = [Buffer.from(of(sandbox)), Buffer.from(offered)]
      return wanted.length === got.length && timingSafeEqual(wanted, got)
    },
  }
}
