import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { World } from '../../operator/world.ts'
import type { OwnSecret } from '../shared/own-secret.ts'

/** The key that opens the bucket. Only the operator holds it. */
export type Credentials = Readonly<{ accessKeyId: string; secretAccessKey: string }>

export const STORE_SECRET = 'swe-operator-store'

const READ_AGAIN_MS = 30_000 // the kubelet replaces mounted files about once a minute

/** From a mounted Secret, read again now and then, so that a rotated key is picked up without a restart. */
export function mountedCredentials(directory: string, world: World): () => Promise<Credentials> {
  let held: Readonly<{ credentials: Credentials; atMs: number }> | undefined
  const read = async (name: string): Promise<string> => (await readFile(join(directory, name), 'utf8')).trim()
  return async () => {
    if (held && world.monotonicMs() - held.atMs < READ_AGAIN_MS) return held.credentials
    const credentials = complete({ accessKeyId: await read('accessKeyId'), secretAccessKey: await read('secretAccessKey') }, directory)
    held = { credentials, atMs: world.monotonicMs() }
    return credentials
  }
}

/** The key of the embedded store, made once in the cluster so that the chart renders the same twice and git holds no key. */
export function embeddedCredentials(secret: OwnSecret): () => Promise<Credentials> {
  let held: Credentials | undefined
  return async () => {
    held ??= await readOrMake(secret)
    return held
  }
}

async function readOrMake(secret: OwnSecret): Promise<Credentials> {
  const { data } = (await secret.read()) ?? (await secret.create(newCredentials()))
  return complete({ accessKeyId: data['accessKeyId'] ?? '', secretAccessKey: data['secretAccessKey'] ?? '' }, `Secret ${secret.name}`)
}

/** Not from `World`: a key must not be repeatable. */
function newCredentials(): Credentials {
  return { accessKeyId: `swe${randomBytes(8).toString('hex')}`, secretAccessKey: randomBytes(30).toString('base64url') }
}

function complete(credentials: Credentials, origin: string): Credentials {
  if (credentials.accessKeyId !== '' && credentials.secretAccessKey !== '') return credentials
  throw new Error(`${origin} must hold accessKeyId and secretAccessKey, and one of them is empty`)
}
