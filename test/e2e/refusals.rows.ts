// Wrong TrainingRuns: what a person reads about each, before any training pod.
import { rowsRun } from '../world/rows.ts'
import { SIMULATED_GPU_POOL, SMALL_SIMULATED_GPU_POOL, UNPRICED_POOL } from '../world/simulated-gpu.ts'

type Spec = Readonly<Record<string, unknown>>
/** `field` and `remedy` are both looked for in what the person is told. */
export type WrongRun = Readonly<{ what: string; spec: Spec; field: RegExp; remedy: RegExp }>

const row = (what: string, spec: Spec, field: RegExp, remedy: RegExp): WrongRun => ({ what, spec, field, remedy })
const pairs = { preferences: { configMap: { name: 'swe-bench-rows', key: 'rows.jsonl' } } }
const instances = (more: Spec): Spec => ({ data: { instances: { configMap: { name: 'swe-bench-rows', key: 'rows.jsonl' }, format: 'SWEBench', ...more } } })

/** What the API server says to `kubectl apply`. */
export const refusedAtApply: readonly WrongRun[] = [
  row('a learning rate of 0', { optimizer: { learningRate: '0' } }, /spec\.optimizer\.learningRate/, /above 0 and at most 1/),
  row('steps and epochs', { duration: { maxSteps: 40, epochs: '3' } }, /spec\.duration/, /exactly one of maxSteps, epochs/),
  row('an evaluation by steps without their number', { evaluation: { strategy: 'Steps' } }, /spec\.evaluation/, /everySteps must be set/),
  row('the best of no evaluations', { evaluation: { strategy: 'No' }, checkpoint: { result: 'Best' } }, /spec\.checkpoint/, /set evaluation/),
  row('an empty budget', { budget: {} }, /spec\.budget/, /at least one of maxCost, maxGPUHours and maxDuration/),
  row('a hub repository without its owner', { model: { hub: { repo: 'gpt2' } } }, /spec\.model\.hub\.repo/, /must be owner\/name/),
  row('preferences that are imitated', { data: pairs }, /spec\.data/, /goes with method DPO/),
  row('a comparison of rows with one answer', { method: 'DPO' }, /spec\.data/, /data\.preferences goes with method DPO/),
  row('dropout in a comparison', { method: 'DPO', data: pairs, lora: { dropout: '0.1' } }, /spec\.lora/, /leave it out/),
  row('messages among instances', { sequence: { lossOn: 'AssistantMessages' } }, /spec\.sequence/, /only Messages and data\.trajectories with a style have AssistantMessages/),
]

/** What the operator says, without any pod. */
export const refusedByOperator: readonly WrongRun[] = [
  row('a pool that does not exist', { compute: { pool: 'h100' } }, /spec\.compute\.pool h100/, /Add it to the value pools/),
  row('GPUs without a pool', { compute: { gpusPerNode: 2 } }, /spec\.compute\.gpusPerNode/, new RegExp(SIMULATED_GPU_POOL)),
  row('more GPUs than a node has', { compute: { pool: SIMULATED_GPU_POOL, gpusPerNode: 8 } }, /spec\.compute\.gpusPerNode 8/, /ask for 2 at most/),
  row('4-bit weights without a GPU', { lora: { quantization: 'NF4' } }, /spec\.lora\.quantization NF4/, /leave quantization out/),
  row('an 8-bit optimizer without a GPU', { optimizer: { algorithm: 'PagedAdamW8Bit' } }, /spec\.optimizer\.algorithm/, /use AdamW/),
  row('shared memory beyond memory', { compute: { pool: SIMULATED_GPU_POOL, memory: '2Gi', sharedMemory: '4Gi' } }, /spec\.compute\.sharedMemory/, /raise memory or lower sharedMemory/),
  row('a budget in money without a price', { compute: { pool: UNPRICED_POOL }, budget: { maxCost: '5' } }, /spec\.budget\.maxCost/, /Set its pricePerGPUHour or pricePerPodHour/),
  row('a budget in GPU-hours without GPUs', { budget: { maxGPUHours: '5' } }, /spec\.budget\.maxGPUHours/, /Use spec\.budget\.maxDuration/),
  row('a priority of Kueue without its queue', { compute: { workloadPriorityClass: 'low' } }, /spec\.compute\.workloadPriorityClass/, /spec\.compute\.queueName/),
  row("a model of another namespace without a Secret", { model: { s3: { uri: 's3://swe-operator/someone-else/models/secret' } } }, /spec\.model\.s3\.uri/, /spec\.model\.s3\.secretRef/),
]

/** What the preparation says: a pod without a GPU, and the last one of the run. */
export const refusedByPreparation: readonly WrongRun[] = [
  row('an unknown option of the engine', { engineOptions: { neftune_noise_alfa: '5' } }, /engineOptions\.neftune_noise_alfa/, /neftune_noise_alpha/),
  row('an option that a field owns', { engineOptions: { learning_rate: '1e-3' } }, /engineOptions\.learning_rate/, /optimizer\.learningRate/),
  row('an option of the wrong kind', { engineOptions: { neftune_noise_alpha: 'much' } }, /engineOptions\.neftune_noise_alpha/, /float|number/),
  row('an evaluation after the end', { evaluation: { everySteps: 500 } }, /evaluation\.everySteps/, /40/),
  row('the best of checkpoints that miss the evaluations', { evaluation: { everySteps: 20 }, checkpoint: { everySteps: 15, result: 'Best' } }, /checkpoint\.everySteps/, /evaluation\.everySteps/),
  row('a module that the model does not have', { lora: { targetModules: ['q_prj'] } }, /lora\.targetModules/, /q_proj/),
  row('rows longer than the model can read', { sequence: { maxLength: 1_000_000 } }, /sequence\.maxLength/, /lower|at most/i),
  row('more than the memory of the GPU', { compute: { pool: SMALL_SIMULATED_GPU_POOL, memory: '4Gi', sharedMemory: '64Mi', cpu: '1' }, batch: { perDevice: 4 }, sequence: { maxLength: 32_768 } }, /simulated A100 with 1 GiB/, /What fits: batch\.perDevice|compute\.pool with at least/),
  row('a selection that leaves nothing', instances({ select: { idContains: '.pr_' } }), /select/, /idContains/),
  row('tests that no instance has', instances({ select: { failToPass: { min: 9999 } } }), /select/, /failToPass/),
  row('instances that do not exist', instances({ select: { instanceIds: ['no__such-1'] } }), /select\.instanceIds/, /Correct the names/),
  row('rows that are no pairs', { method: 'DPO', data: pairs }, /prompt is missing/, /Each row needs prompt, chosen and rejected/),
  row('a model that is not there', { model: { s3: { uri: 's3://swe-operator/e2e/models/none' } } }, /models\/none/, /config\.json is missing/),
]

export function manifestOf({ what, spec }: WrongRun, namespace: string, model: string): object {
  return rowsRun(nameOf({ what }), namespace, model, spec)
}

export function nameOf({ what }: Pick<WrongRun, 'what'>): string {
  return what.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, 50).replace(/^-|-$/g, '')
}
