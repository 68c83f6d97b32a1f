// How patches are made: the model that is asked, and how.
import { z } from 'zod'
import { checked, decimal, exactlyOneOf, hubModelSchema, labelText, listAtomic, matching, objectName, s3FolderSchema, seed, type Rule } from './common.ts'
import { fromRunSchema } from './from-run.ts'
import { cores, memory } from './quantities.ts'

const API_URL = /^https?:[/]{2}[A-Za-z0-9.-]+(:[0-9]{1,5})?([/][A-Za-z0-9_.~-]+)*[/]?$/

const apiKeySecretRefSchema = z
  .object({ name: objectName('Name of a Secret in the same namespace as this resource.') })
  .describe('The Secret whose key OPENAI_API_KEY is the key for the API. It is mounted into the pod that asks; the operator itself never reads it.')

const endpointSchema = z
  .object({
    url: z
      .string()
      .min(8)
      .max(512)
      .regex(API_URL)
      .meta({ description: 'Where the API is, up to and with its version, such as https://api.example.com/v1.', ...checked(matching(API_URL, 'must be a URL, such as https://api.example.com/v1')) }),
    model: z.string().min(1).max(256).regex(/^[A-Za-z0-9][A-Za-z0-9_./:@+-]*$/).describe('Name of the model as the API knows it, such as qwen2.5-coder-32b-instruct. Samples carry it.'),
    apiKeySecretRef: apiKeySecretRefSchema.optional(),
  })
  .describe('An API that speaks the chat completions of OpenAI, inside the cluster or outside.')

const modelSchema = z
  .object({
    endpoint: endpointSchema.optional(),
    s3: s3FolderSchema.optional(),
    hub: hubModelSchema.optional(),
    fromRun: fromRunSchema('The result of a TrainingRun: its adapter on the model that it was trained on, or its whole model. It is waited for until it is Complete.').optional(),
  })
  .meta({
    description: 'The model that is asked: exactly one of endpoint, where it is served already, and s3, hub and fromRun, a model in the Hugging Face layout (config.json, tokenizer files, *.safetensors) that is served in this namespace for as long as it is asked, and no longer.',
    ...checked(exactlyOneOf('endpoint', 's3', 'hub', 'fromRun')),
  })

const modelCacheSchema = z
  .object({
    claimName: objectName('Name of a PersistentVolumeClaim in the same namespace as this resource, such as models. Its volume must let group 1000 write; servers on several nodes at once need one that can be mounted by many (ReadWriteMany).'),
  })
  .describe('A volume that keeps models: what one server fetched, every later one of the namespace with this claim finds there, and fetches no file again. A model is kept by where it lies and by its commit, or in a store by what was written there when; adapters are always fetched. Nothing is removed from it: that is yours to do, while no server runs. Default: each pod fetches the model anew.')

const servingSchema = z
  .object({
    engine: z
      .enum(['Transformers', 'VLLM', 'SGLang'])
      .describe('What serves it. Transformers: transformers serve, on CPUs, which answers one request after the other. VLLM and SGLang: vllm serve and sglang.launch_server, on the GPUs of a pool, which answer many at once.'),
    pool: labelText('With VLLM and SGLang: name of a pool of nodes with GPUs from the configuration of the operator, such as a100-80-gke-spot. Default: none, and those engines need one.').optional(),
    gpus: z.int().min(1).max(16).optional().describe('With VLLM and SGLang: GPUs of the server, all of one node, over which each layer of the model is divided (tensor parallel); a number that divides its attention heads. Default: 1.'),
    replicas: z.int().min(1).max(4).optional().describe('With VLLM and SGLang: servers of the same model, each with GPUs of its own; a request goes to any of them. Default: 1.'),
    resources: z
      .object({
        cpu: cores('CPU cores of the server, as a number or a quantity such as 4 or "500m"; requested and not limited. Default: 2, with GPUs 8 for each.').optional(),
        memory: memory('Memory of the server, requested and limited: room for the weights and what a request takes beside them. Default: 8Gi, with GPUs 64Gi for each.').optional(),
      })
      .optional()
      .describe('What the server gets.'),
    modelCache: modelCacheSchema.optional(),
  })
  .meta({
    description: 'How a model of s3, hub or fromRun is served: by a pod of this resource, which only its own pods may reach where the network plug-in enforces NetworkPolicy, from before the first answer until after the last one. Default: engine Transformers.',
    ...checked(
      { rule: "self.engine == 'Transformers' || has(self.pool)", message: 'engines VLLM and SGLang run on GPUs: name a pool of nodes that have them', fieldPath: '.pool' },
      { rule: "self.engine != 'Transformers' || (!has(self.pool) && !has(self.gpus) && !has(self.replicas))", message: 'engine Transformers runs on CPUs, and alone: leave pool, gpus and replicas out', fieldPath: '.engine' },
    ),
  })

/** How many answers are drawn, and how freely, where the specification says nothing. */
export type Drawn = Readonly<{ samplesPerInstance: number; temperature: string }>

/** By kind: several answers that differ make pairs; an evaluation draws as the inference scripts of swebench do. */
export const drawn = {
  PreferenceGen: { samplesPerInstance: 4, temperature: '0.8' },
  SWEBenchEval: { samplesPerInstance: 1, temperature: '0.2' },
} as const satisfies Record<string, Drawn>

function samplingSchema({ samplesPerInstance, temperature }: Drawn) {
  return z
    .object({
      samplesPerInstance: z.int().min(1).max(256).optional().describe(`Answers for each instance, each with a seed of its own. Default: ${samplesPerInstance}.`),
      temperature: decimal(`Temperature of the sampling, from 0 to 2, as a string. Default: "${temperature}".`, { atMost: 2, message: 'from 0 to 2, such as "0.8"' }).optional(),
      topP: decimal('Tokens are drawn from the most likely ones that together have this probability, above 0 and at most 1, as a string. Default: "0.95".', { above: 0, atMost: 1, message: 'above 0 and at most 1, such as "0.95"' }).optional(),
      maxTokens: z.int().min(1).max(1_048_576).optional().describe('Most tokens of one answer; one that is cut there is counted as truncated. Default: 4096.'),
      stop: z.array(z.string().min(1).max(64).describe('A text.')).min(1).max(4).meta({ description: 'Texts at which an answer ends. Default: none.', ...listAtomic }).optional(),
      seed: seed('Seed that the seeds of all samples are made of. Default: 42.').optional(),
    })
    .describe('How answers are drawn.')
}

/** How a model is served and asked, whichever it is; `defaults` are those of the kind that asks. */
export function askingFields(defaults: Drawn) {
  return {
    serving: servingSchema.optional(),
    sampling: samplingSchema(defaults).optional(),
    concurrency: z.int().min(1).max(256).optional().describe('Requests at once. Fewer are made for a while where the API says that it has enough. Default: 8 with model.endpoint, 32 for each replica of engines VLLM and SGLang, else 1, which is all that engine Transformers takes: its requests share one source of random numbers, so answers to several at once would not follow from their seeds.'),
  }
}

const IS_ONE_AT_ONCE = "!has(self.concurrency) || self.concurrency == 1 || (has(self.serving) && self.serving.engine != 'Transformers')"

/** Of a model that is served. */
export const oneAtOnce: Rule = { rule: IS_ONE_AT_ONCE, message: 'engine Transformers answers one request after the other: leave concurrency out', fieldPath: '.concurrency' }

export function generationSchema(defaults: Drawn) {
  return z
    .object({ model: modelSchema, ...askingFields(defaults) })
    .meta({
      description: 'Has a model make the patches: one answer of its own for each sample, to the prompt of promptStyle. A sample that is stored is never asked for again.',
      ...checked(
        { rule: '!has(self.serving) || !has(self.model.endpoint)', message: 'serving goes with a model of s3, hub or fromRun: an endpoint is served already', fieldPath: '.serving' },
        { ...oneAtOnce, rule: `has(self.model.endpoint) || ${IS_ONE_AT_ONCE}` },
      ),
    })
}

/** On the whole object: the Service of a model that is served is named after it, and a Service begins with a letter. */
export const beginsWithLetter: Rule = {
  rule: "!has(self.spec.generation) || has(self.spec.generation.model.endpoint) || self.metadata.name.matches('^[a-z]')",
  message: 'must begin with a letter where a model is served, because the name of its Service begins with it',
  fieldPath: '.metadata.name',
}
