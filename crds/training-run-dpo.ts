// What a person may say about direct preference optimisation.
import { z } from 'zod'
import { checked, decimal } from './common.ts'

// Of the losses that TRL 1.13 takes alone, those that look at each pair by itself: AOT sorts the pairs of one pass, so that
// smaller passes after CUDA out of memory would be another loss.
const LOSSES = ['Sigmoid', 'SigmoidNorm', 'Hinge', 'IPO', 'Robust', 'APOZero', 'APODown'] as const

export const dpoSchema = z
  .object({
    beta: decimal('How strongly the model is held to its reference, above 0 and at most 100, as a string; the higher, the closer. Usual: 0.1 to 0.5. Default: "0.1".', { above: 0, atMost: 100, message: 'above 0 and at most 100, such as "0.1"' }).optional(),
    lossType: z
      .enum(LOSSES)
      .optional()
      .describe('Sigmoid (default): the loss of DPO. SigmoidNorm: the same over means of tokens, so that length does not count. Hinge: SLiC. IPO: does not push pairs apart without end. Robust: expects that some pairs are labelled the wrong way round. APOZero, APODown: where the chosen answers are better, or worse, than what the model writes.'),
    labelSmoothing: decimal('Share of the pairs that are expected to be labelled the wrong way round, above 0 and below 0.5, as a string. Only with lossType Robust. Default: "0.1" with Robust.', { above: 0, below: 0.5, message: 'above 0 and below 0.5, such as "0.1"' }).optional(),
    referenceLogProbs: z
      .enum(['EveryStep', 'Precomputed'])
      .optional()
      .describe('When the reference is asked. EveryStep (default): in each step; full fine-tuning holds a second model for it, a new adapter is switched off, of one that is continued a copy is kept. Precomputed: once for all rows at the beginning of each attempt, also of one that goes on after a preemption, so that no step needs a reference.'),
  })
  .meta({
    description: 'Direct preference optimisation. The reference is the model that the run begins with: with model.fromRun the result of that run. Only with method DPO; absent: all defaults.',
    ...checked({ rule: "!has(self.labelSmoothing) || (has(self.lossType) && self.lossType == 'Robust')", message: 'labelSmoothing goes with lossType Robust' }),
  })
