// Where the result of a TrainingRun goes once it is trained.
import { z } from 'zod'
import { hubEndpoint, hubRepo, objectName } from './common.ts'

const hubSchema = z
  .object({
    repo: hubRepo.describe('Repository that gets the adapter, or the whole model, and a model card, as owner/name, such as my-team/qwen2.5-coder-3b-swe. It is created where there is none; other files of it stay.'),
    private: z.boolean().optional().describe('Whether only those may read it to whom the hub gives the right. true also refuses a repository that everybody can read; one that exists is never made public or private. Default: true.'),
    endpoint: hubEndpoint.optional(),
    tokenSecretRef: z
      .object({ name: objectName('Name of a Secret in the same namespace as this resource.') })
      .describe('The Secret whose key HF_TOKEN is a token that may write the repository. It is mounted into the pod that publishes and into no other; the operator itself never reads it.'),
  })
  .describe('A repository on the Hugging Face Hub, or on a hub that speaks its protocol.')

export const publishSchema = z
  .object({ hub: hubSchema })
  .describe('Gives the result to a hub once the training is over; the run is Complete only then. The model card names the base model, the data, the settings, the figures and the cost. What the hub refuses is tried again every ten minutes; removing this field completes the run without. Default: the result stays in the artifact store alone.')
