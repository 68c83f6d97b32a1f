import type { Pool } from '../pools/pool.ts'

/** What the controller must be told about the installation it runs in. */
export type Settings = Readonly<{
  trainerImage: string
  /** With CUDA, for pools that have GPUs. */
  gpuTrainerImage: string
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never'
  /** Names of Secrets in the namespaces of the runs. */
  imagePullSecrets?: readonly string[]
  /** Origin of the artifact endpoint, such as `https://swe-operator-artifacts.swe-operator-system.svc:8443`. */
  artifactsUrl: string
  /** Origin of the progress endpoint. */
  progressUrl: string
  /** The bucket whose `<namespace>/` prefixes are readable without credentials. */
  bucket: string
  /** By name; what spec.compute.pool may say. */
  pools: readonly Pool[]
  /** Of all prices, such as USD. */
  currency: string
  /** The PEM certificates that pods trust for both endpoints; undefined until the operator has made them. */
  caBundle: () => string | undefined
}>
