/** One Secret in the operator's own namespace, decoded. The operator makes it once; whoever comes second reads it. */
export type OwnSecret = Readonly<{
  name: string
  read(signal?: AbortSignal): Promise<SecretContent | undefined>
  /** Creates the Secret; when it exists already, what it holds is returned instead and nothing is written. */
  create(data: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<SecretContent>
  /** Replaces the named keys of exactly this version; rejects with a conflict when somebody was faster. */
  replace(version: string, data: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<SecretContent>
}>

export type SecretContent = Readonly<{ version: string; data: Readonly<Record<string, string>> }>
