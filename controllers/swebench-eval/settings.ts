import type { Settings as GenerationSettings } from '../generation/settings.ts'

/** What the controller must be told about the installation it runs in. The harness prepares, grades and reports, too. */
export type Settings = GenerationSettings & Readonly<{
  /** Host and port of the artifact endpoint, and the namespace of the pods that serve it. */
  endpointHost: string
  endpointPort: number
  operatorNamespace: string
  /** Addresses of the cluster's name servers, which sandboxes must not reach. */
  nameServers: readonly string[]
  /** The bucket whose `<namespace>/` prefixes are readable without credentials. */
  bucket: string
  /** The PEM certificates that pods trust; undefined until the operator has made them. */
  caBundle: () => string | undefined
}>
