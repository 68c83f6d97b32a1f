// What a TrainingRun starts from.
import { z } from 'zod'
import { checked, exactlyOneOf, hubModelSchema, s3FolderSchema, type Rule } from './common.ts'
import { fromRunSchema } from './from-run.ts'

export const modelSchema = z
  .object({
    s3: s3FolderSchema.optional(),
    hub: hubModelSchema.optional(),
    fromRun: fromRunSchema('The result of another TrainingRun: its adapter, which is then continued on the model that it was trained on and needs lora, or its whole model. This run waits until that one is Complete.').optional(),
  })
  .meta({
    description: 'What the training starts from: exactly one of s3 and hub, a model in the Hugging Face layout (config.json, tokenizer files, *.safetensors), and fromRun, what another run made of one.',
    ...checked(exactlyOneOf('s3', 'hub', 'fromRun')),
  })

/** On the whole object, because a specification does not know its own name. */
export const notFromItself: Rule = {
  rule: '!has(self.spec.model.fromRun) || self.spec.model.fromRun.name != self.metadata.name',
  message: 'a run cannot continue itself: name another TrainingRun',
  fieldPath: '.spec.model.fromRun.name',
}
