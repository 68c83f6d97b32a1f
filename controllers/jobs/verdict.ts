// What programs of every kind say of their end, in the same fields.
import { z } from 'zod'
import { cut } from '../shared/text.ts'

const MESSAGE_MAX = 1024

export const count = z.int().min(0)
export const message = z.string().transform((text) => cut(text, MESSAGE_MAX))
export const reason = z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,62}$/)
export const exitCode = z.int().min(0).max(255)
export const rate = z.string().max(16)

export const frozenSchema = z.object({ uri: z.string().max(2048), revision: z.string().max(256).nullish(), sha256: z.string().max(64).nullish() })

export const producedSchema = z.object({ name: z.string().min(1).max(512), key: z.string().min(1).max(1024), sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: count })

/** A file that a program left in the store; `key` is relative to its owner's prefix. */
export type Produced = Readonly<z.infer<typeof producedSchema>>

const badRowSchema = z.object({ row: count, reason: z.string().transform((text) => cut(text, 512)) })
export const badRowExamples = z.array(badRowSchema).transform((all) => all.slice(0, 5))

const manifestSchema = z.object({ verdict: z.unknown().optional() })

/** Something readable, or nothing. */
export type Read<T> = Readonly<{ verdict?: T }>

/** From JSON, as text or parsed; whatever does not fit is no verdict. */
export function readVerdict<T>(schema: z.ZodType<T>, raw: unknown): Read<T> {
  if (raw === undefined) return {} // most pods, most of the time: refusing it would cost as much as reading one
  const json = typeof raw === 'string' ? fromJson(raw) : raw
  const parsed = schema.safeParse(json)
  return parsed.success ? { verdict: parsed.data } : {}
}

/** The verdict within a commit marker of the store. */
export function verdictIn(manifest: unknown): unknown {
  return manifestSchema.safeParse(manifest).data?.verdict
}

/** Undefined where a text is no JSON. */
export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // log lines, or a message that was cut
  }
}

type Frozen = Readonly<z.infer<typeof frozenSchema>>

/** A source as the status shows it. */
export function describeFrozen({ uri, revision, sha256 }: Frozen): Readonly<{ uri: string; revision?: string; sha256?: string }> {
  return { uri, ...(typeof revision === 'string' ? { revision } : {}), ...(typeof sha256 === 'string' ? { sha256 } : {}) }
}
