// How an instance becomes a prompt.
import { z } from 'zod'
import { configMapKeySchema, type Rule } from './common.ts'

const OFFICIAL = 'Style2 and Style3'

export const promptFields = {
  promptStyle: z
    .enum(['Pro', 'Style2', 'Style3', 'Custom'])
    .optional()
    .describe(
      `How an instance becomes a prompt. Pro (default): one paragraph with the repository and the issue text, as a TrainingRun makes it of the same rows. ${OFFICIAL}: those of swebench.inference, to the byte, with the issue, the code and an example of a patch. Custom: promptTemplate. Their code is what the gold patch changes, and the readmes: from columns file_contents and readmes of the row (contents by path, as create_text_dataset of that package has them in its progress file), else from its column text (as SWE-bench_oracle has it), else from the image of the instance, which the pod that makes the prompts reads in its registry over HTTPS with images.pullSecrets; images that only nodes have cannot be read.`,
    ),
  promptTemplate: configMapKeySchema
    .describe('With promptStyle Custom: the key of a ConfigMap whose value is the prompt. In it {problem_statement}, {repo}, {instance_id}, {base_commit}, {hints_text}, {code} and {readmes} stand for what an instance has there; code and readmes have numbered lines, as in the official styles. A brace that is meant as such is written twice. Read once, by the pod that makes the prompts.')
    .optional(),
  promptCodeTokens: z
    .int()
    .min(1)
    .max(4_194_304)
    .optional()
    .describe(`With ${OFFICIAL} and Custom: most tokens of code in a prompt, estimated as one for 3 bytes, since an endpoint does not say how it counts. Files come first and readmes after them, each by name; one that does not fit is left out whole, and counted. Default: 16384.`),
}

export const promptRules: readonly Rule[] = [
  { rule: "(has(self.promptStyle) && self.promptStyle == 'Custom') == has(self.promptTemplate)", message: 'promptStyle Custom needs promptTemplate, and nothing else has one', fieldPath: '.promptTemplate' },
  { rule: "!has(self.promptCodeTokens) || (has(self.promptStyle) && self.promptStyle != 'Pro')", message: 'promptStyle Pro shows no code: leave promptCodeTokens out', fieldPath: '.promptCodeTokens' },
]
