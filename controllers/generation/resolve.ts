import { drawn } from '../../crds/generation.ts'
import type { ResolvedGeneration, ResolvedPrices } from '../../crds/generation-status.ts'
import type { Asker } from './asker.ts'
import { engines } from './serving/engines.ts'
import { isServed } from './serving/model.ts'
import { poolOf } from './serving/pool.ts'
import type { Settings } from './settings.ts'

/** The values in force, and of the others what who asks must be told. */
export type Resolved = ResolvedGeneration & Readonly<{ selectSeed: number; harnessVersion: string }>

const CODE_TOKENS = 16_384 // half of the context that most open code models have
const API_CONCURRENCY = 8 // what small tiers of hosted APIs take without complaint
const SERVER = {
  CPU: { cpu: 2, memory: 8 }, // a model of 3 billion weights in bfloat16, and room for its answers
  GPU: { cpu: 8, memory: 64 }, // of each GPU, as for training: weights pass through it
} as const

const SERVING = ['servingEngine', 'servingCpu', 'servingMemory', 'servingGPUs', 'servingReplicas'] as const satisfies readonly (keyof ResolvedGeneration)[]
const SAMPLING = ['samplesPerInstance', 'temperature', 'topP', 'maxTokens', 'samplingSeed', 'concurrency'] as const satisfies readonly (keyof ResolvedGeneration)[]

/** `seed` is that of every choice that has none of its own. */
export function resolveGeneration(asker: Asker, seed: number, settings: Pick<Settings, 'pools' | 'currency'>): ResolvedGeneration {
  const { sampling, serving, concurrency } = asker.spec.generation ?? {}
  const { samplesPerInstance, temperature } = drawn[asker.kind]
  const { engine: servingEngine = 'Transformers', gpus: servingGPUs = 1, replicas: servingReplicas = 1 } = serving ?? {}
  const { runsOn, concurrency: atOnce } = engines[servingEngine]
  return {
    promptCodeTokens: asker.spec.promptCodeTokens ?? CODE_TOKENS,
    samplesPerInstance: sampling?.samplesPerInstance ?? samplesPerInstance,
    temperature: sampling?.temperature ?? temperature,
    topP: sampling?.topP ?? '0.95',
    maxTokens: sampling?.maxTokens ?? 4096,
    samplingSeed: sampling?.seed ?? seed,
    concurrency: concurrency ?? (isServed(asker) ? atOnce * servingReplicas : API_CONCURRENCY),
    servingEngine,
    servingCpu: String(serving?.resources?.cpu ?? SERVER[runsOn].cpu * servingGPUs),
    servingMemory: serving?.resources?.memory ?? `${SERVER[runsOn].memory * servingGPUs}Gi`,
    servingGPUs,
    servingReplicas,
    ...resolvePrices(asker, settings),
  }
}

/** Frozen with the rest: a price that changes later is the price of later ones. */
function resolvePrices(asker: Asker, settings: Pick<Settings, 'pools' | 'currency'>): ResolvedPrices {
  if (asker.status?.resolved?.currency !== undefined) return {}
  const { pricePerGPUHour, pricePerPodHour } = poolOf(asker, settings) ?? {}
  return {
    ...(pricePerGPUHour === undefined ? {} : { servingPricePerGPUHour: pricePerGPUHour, currency: settings.currency }),
    ...(pricePerPodHour === undefined ? {} : { servingPricePerPodHour: pricePerPodHour, currency: settings.currency }),
  }
}

/** Without what does not concern this one: where samples are given, none is drawn, an endpoint takes no server of ours, and style Pro shows no code. */
export function shown<Values extends Partial<ResolvedGeneration>>(resolved: Values, asker: Asker): Partial<Values> {
  const others: readonly string[] = [...(asker.spec.generation === undefined ? SAMPLING : []), ...(isServed(asker) ? [] : SERVING), ...(isOnGpus(asker) ? [] : ['servingGPUs', 'servingReplicas']), ...(styleOf(asker) === 'Pro' ? ['promptCodeTokens'] : [])]
  return Object.fromEntries(Object.entries(resolved).filter(([field]) => !others.includes(field))) as Partial<Values>
}

function isOnGpus({ spec: { generation } }: Asker): boolean {
  return generation?.serving !== undefined && engines[generation.serving.engine].runsOn === 'GPU'
}

export function styleOf({ spec }: Asker): NonNullable<Asker['spec']['promptStyle']> {
  return spec.promptStyle ?? 'Pro'
}
