// What servers on GPUs have in common.
import type { V1EnvVar } from '@kubernetes/client-node'
import type { Place } from './engine.ts'

export type GpuPlace = Pick<Place, 'folder' | 'adapter'>

const CACHES = { TORCHINDUCTOR_CACHE_DIR: 'inductor', TRITON_CACHE_DIR: 'triton', XDG_CACHE_HOME: 'cache', XDG_CONFIG_HOME: 'config', NUMBA_CACHE_DIR: 'numba' }

/** Their images expect root, and a name for the user; everything that is compiled goes to where they may write. */
export const GPU_ENV: readonly V1EnvVar[] = [
  { name: 'USER', value: 'serve' },
  ...Object.entries(CACHES).map(([name, folder]) => ({ name, value: `/work/${folder}` })),
  { name: 'HF_HUB_OFFLINE', value: '1' },
]
