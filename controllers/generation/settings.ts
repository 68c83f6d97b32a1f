import type { ImageSettings } from '../jobs/program-pod.ts'
import type { Pool } from '../pools/pool.ts'
import type { EngineName } from './serving/engine.ts'

/** What fetches models, and serves them. */
export type TrainerSettings = ImageSettings & Readonly<{ image: string }>

/** What having a model asked must be told about the installation. */
export type Settings = ImageSettings & Readonly<{
  /** Asks. */
  harnessImage: string
  trainer: TrainerSettings
  /** By engine, pulled as the trainer is. */
  serverImages: Readonly<Record<EngineName, string>>
  /** What spec.generation.serving.pool may name. */
  pools: readonly Pool[]
  /** Of the prices of pools, such as USD. */
  currency: string
  /** Origin of the artifact endpoint, such as `https://swe-operator-artifacts.swe-operator-system.svc:8443`. */
  artifactsUrl: string
  /** Origin of the progress Service, which leads to the leader alone. */
  progressUrl: string
}>
