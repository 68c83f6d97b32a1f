import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below those that Linux gives to connections that leave: one of these could be taken before it is listened on.
const [FIRST, LAST] = [20_000, 29_999]
const TRIES = 100

/** A port of loopback that nobody listens on right now, by chance, so that two who ask at once get two. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(FIRST, LAST + 1)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port on loopback from ${FIRST} to ${LAST}`)
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}
