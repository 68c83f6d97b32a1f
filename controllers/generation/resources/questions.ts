import { inputsOf } from '../../jobs/inputs.ts'
import type { ConfigMap } from '../../shared/kinds.ts'
import { buildSource, DATA_FOLDER } from '../../shared/sources.ts'
import { childName, type Asker } from '../asker.ts'
import type { Resolved } from '../resolve.ts'
import { engines } from '../serving/engines.ts'
import { placeOf, serverUrl } from '../serving/model.ts'
import { buildDecontamination } from './evaluations.ts'
import { buildPrompt } from './prompt.ts'

export function questionsName(asker: Asker): string {
  return childName(asker, 'questions')
}

/** What the program that asks the model is told, and whom to trust. */
export function buildQuestions(asker: Asker, resolved: Resolved, caBundle: string): ConfigMap {
  return inputsOf(asker, { name: questionsName(asker), file: buildGenerateFile(asker, resolved), caBundle })
}

function buildGenerateFile(asker: Asker, resolved: Resolved): Readonly<Record<string, unknown>> {
  const { metadata, spec } = asker
  const { selectSeed, samplesPerInstance, temperature, topP, maxTokens, samplingSeed, concurrency, harnessVersion } = resolved
  return {
    version: 1,
    owner: { namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    instances: { source: buildSource(spec.instances, DATA_FOLDER), format: spec.instances.format, select: { ...spec.instances.select, seed: selectSeed } },
    allowEvaluationSets: asker.kind === 'SWEBenchEval' || asker.spec.allowEvaluationSets === true, // what they are for
    ...buildDecontamination(asker),
    prompt: buildPrompt(asker, resolved),
    model: buildChatModel(asker, resolved),
    sampling: { samplesPerInstance, temperature, topP, maxTokens, stop: spec.generation?.sampling?.stop ?? [], seed: samplingSeed },
    concurrency,
    limits: { requestSeconds: REQUEST_SECONDS, attempts: ATTEMPTS },
    harnessVersion,
  }
}

/** Where the model is asked, and what it is called there. */
function buildChatModel(asker: Asker, resolved: Resolved): Readonly<Record<string, unknown>> {
  const { endpoint } = asker.spec.generation?.model ?? {}
  if (endpoint === undefined) return { url: serverUrl(asker), name: engines[resolved.servingEngine].modelName(placeOf(asker, resolved)), credentials: 'None' }
  return { url: endpoint.url, name: endpoint.model, credentials: endpoint.apiKeySecretRef === undefined ? 'None' : 'Secret' }
}

const REQUEST_SECONDS = 900 // four thousand tokens of a large model on a busy server
const ATTEMPTS = 6
