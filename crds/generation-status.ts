// What the operator writes about a model that makes patches: the same for every kind that has one asked.
import { z } from 'zod'
import { frozenSourceSchema, listMap, timestamp, type Immutable } from './common.ts'

const count = z.int().min(0)
const number = z.string().max(16)
const price = z.string().max(64)

/** Fields of status.resolved. */
export const resolvedGeneration = {
  promptCodeTokens: count.describe('With prompts that show code: most tokens of it in one prompt.'),
  samplesPerInstance: count.describe('With generation: answers for each instance.'),
  temperature: number.describe('With generation: temperature of the sampling.'),
  topP: number.describe('With generation: share of the probability that tokens are drawn from.'),
  maxTokens: count.describe('With generation: most tokens of one answer.'),
  samplingSeed: count.describe('With generation: seed that the seeds of all samples are made of.'),
  concurrency: count.describe('With generation: requests at once.'),
  servingEngine: z.enum(['Transformers', 'VLLM', 'SGLang']).describe('With a model that is served here: what serves it.'),
  servingCpu: number.describe('With a model that is served here: cores of the server.'),
  servingMemory: number.describe('With a model that is served here: memory of the server.'),
  servingGPUs: count.describe('With a model that is served here on GPUs: how many each server has.'),
  servingReplicas: count.describe('With a model that is served here on GPUs: how many servers.'),
}

/** Fields of status.resolved, where a pool with prices serves. */
export const resolvedPrices = {
  servingPricePerGPUHour: price.describe('With a model that is served here on a pool with prices: price of one GPU for an hour.'),
  servingPricePerPodHour: price.describe('With a model that is served here on a pool with prices: price of a pod for an hour, beside its GPUs.'),
  currency: price.describe('Currency of the prices.'),
}

/** status.generation */
export const generatedSchema = z
  .object({
    instances: count.describe('Instances that the model was asked about.'),
    samples: count.describe('Samples that were wanted.'),
    generated: count.describe('Of them, those that the model gave an answer for.'),
    givenUp: count.describe('Of them, those without an answer after several tries.'),
    withoutPatch: count.describe('Answers without a patch.'),
    refused: count.describe('Of them, those that the model, or a filter before it, refused to give.'),
    truncated: count.describe('Answers that were cut at sampling.maxTokens.'),
    repaired: count.describe('Patches whose line counts were wrong and were put right.'),
    codeFilesCut: count.describe('Files of code that prompts had no room for.'),
    evaluationSets: count.describe('Instances left out because their repository is one of an evaluation set.'),
    contaminated: count.describe('Instances left out because they are like rows of spec.decontamination.against.'),
    badRows: count.describe('Rows of instances that cannot be used.'),
    retries: count.describe('Requests that were made again.'),
    promptTokens: count.describe('Tokens of all prompts, as the API counts them.'),
    completionTokens: count.describe('Tokens of all answers, as the API counts them.'),
    predictions: z.string().max(256).describe('Where the samples lie, below the prefix of this resource.'),
    source: frozenSourceSchema,
  })
  .partial()
  .describe('With generation: what the model made; samples and generated while it is asked, the rest once it was.')

const servingPodSchema = z
  .object({ name: z.string().max(253).describe('Name of the pod.'), seconds: count.describe('From the moment it got its node.') })
  .describe('A pod that served.')

/** status.serving */
export const servingStatusSchema = z
  .object({
    model: frozenSourceSchema,
    readyTime: timestamp('When the server was first ready to answer.'),
    pods: z.array(servingPodSchema).max(8).meta({ description: 'The newest pods that served, and for how long.', ...listMap('name') }),
  })
  .partial()
  .describe('With a model that is served here: what serves it.')

/** Fields of status.cost. */
export const servingCost = {
  seconds: count.optional().describe('Seconds for which pods had a node to serve the model and tests ran in sandboxes, all added up: ten sandboxes at once have ten seconds in one.'),
  servingSeconds: count.optional().describe('Of them, those of pods that serve the model, from when they got a node; live while they serve.'),
  servingCpuSeconds: count.optional().describe('Cores that pods asked for to serve the model times seconds.'),
  servingMemoryGiBSeconds: count.optional().describe('GiB of memory that pods asked for to serve the model times seconds.'),
  servingGPUSeconds: count.optional().describe('GPUs that pods had to serve the model times seconds.'),
  amount: price.optional().describe('What serving the model cost so far, at the price of its pool. Absent: there is no price. Sandboxes have none.'),
  currency: price.optional().describe('Currency of the amount.'),
  budgetUsedPercent: count.optional().describe('Used share of the limit of spec.budget that is nearest, in percent.'),
}

export type Generated = Immutable<z.infer<typeof generatedSchema>>
export type ServingStatus = Immutable<z.infer<typeof servingStatusSchema>>
/** Those that pools have; the currency goes with any of them. */
export type ResolvedPrices = Immutable<{ [Field in keyof typeof resolvedPrices]?: z.infer<(typeof resolvedPrices)[Field]> }>
export type ResolvedGeneration = Immutable<{ [Field in keyof typeof resolvedGeneration]: z.infer<(typeof resolvedGeneration)[Field]> }> & ResolvedPrices
