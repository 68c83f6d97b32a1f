import type { Settings as GenerationSettings } from '../generation/settings.ts'

/** What the controller must be told about the installation it runs in. The harness prepares and pairs, too. */
export type Settings = GenerationSettings & Readonly<{
  /** The bucket whose `<namespace>/` prefixes are readable without credentials. */
  bucket: string
  /** The PEM certificates that pods trust; undefined until the operator has made them. */
  caBundle: () => string | undefined
}>
