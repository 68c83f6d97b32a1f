import { homedir } from 'node:os'
import { join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** Where what can be made again lives: binaries, base images, archives. Safe to delete while no cluster is up. */
export function cacheDirectory(environment: Environment = process.env): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'swe-operator')
}

/** Where named clusters live. */
export function clustersDirectory(environment: Environment = process.env): string {
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'swe-operator', 'clusters')
}
