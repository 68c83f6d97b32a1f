import type { OwnSecret, SecretContent } from '../shared/own-secret.ts'

/** A Secret for tests, shared by everybody who holds it, with the API server's rules on create and replace. */
export type FakeSecret = OwnSecret & { content(): SecretContent | undefined; put(data: Readonly<Record<string, string>>): void; failNext(error: Error): void }

export function createFakeSecret(name: string): FakeSecret {
  let stored: SecretContent | undefined
  let version = 0
  let failure: Error | undefined

  const put = (data: Readonly<Record<string, string>>): SecretContent => {
    version += 1
    stored = { version: String(version), data }
    return stored
  }
  const turn = async (): Promise<void> => {
    await Promise.resolve()
    const error = failure
    failure = undefined
    if (error) throw error
  }

  return {
    name,
    content: () => stored,
    put: (data) => void put(data),
    failNext: (error) => void (failure = error),
    read: () => turn().then(() => stored),
    create: (data) => turn().then(() => stored ?? put(data)),
    replace: async (expected, data) => {
      await turn()
      if (stored?.version !== expected) throw new Error(`conflict: ${name} is no longer at ${expected}`)
      return put({ ...stored.data, ...data })
    },
  }
}
