// What can serve a model: each engine is one file, and an entry in this table.
import type { Engine, EngineName } from './engine.ts'
import { sglang } from './sglang.ts'
import { transformers } from './transformers.ts'
import { vllm } from './vllm.ts'

export const engines: Readonly<Record<EngineName, Engine>> = { Transformers: transformers, VLLM: vllm, SGLang: sglang }
