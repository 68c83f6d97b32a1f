// What a server of models is to the operator.
import type { V1EnvVar } from '@kubernetes/client-node'
import type { ResolvedGeneration } from '../../../crds/generation-status.ts'

/** Where every engine listens. */
export const SERVER_PORT = 8000

/** What the server is told: the folder with the model, the adapter on it, where to listen, and the cores and GPUs of its pod. */
export type Place = Readonly<{ folder: string; adapter?: Readonly<{ folder: string; rank: number }>; port: number; cpu: string; gpus: number }>

/** A server that speaks the chat completions of OpenAI. */
export type Engine = Readonly<{
  /** Where it computes, which decides what its pod gets. */
  runsOn: 'CPU' | 'GPU'
  /** Requests that it answers at once, where the specification says nothing. */
  concurrency: number
  /** What requests call the model. It begins with its folder, which says which model that is: samples carry it. */
  modelName(place: Place): string
  command(place: Place): readonly string[]
  env(place: Place): readonly V1EnvVar[]
  /** Answers with HTTP 200 once the model is loaded, and never before. */
  healthPath: string
}>

export type EngineName = ResolvedGeneration['servingEngine']
