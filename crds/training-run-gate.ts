// What the result of a TrainingRun must be good for.
import { z } from 'zod'
import { checked, decimal, exactlyOneOf, objectName, type Rule } from './common.ts'
import { askingFields, drawn, oneAtOnce } from './generation.ts'
import { gradedInstances, imagesSchema, parallelism, sandboxSchema } from './grading.ts'
import { ROW_FILES } from './instances.ts'
import { promptFields, promptRules } from './prompting.ts'

const evaluationSchema = z
  .object({
    instances: z
      .object(gradedInstances)
      .meta({ description: `The instances that the result is asked about; none of them should be among those that it learned from. Give ${ROW_FILES}.`, ...checked(exactlyOneOf('configMap', 's3', 'hub')) }),
    ...promptFields,
    generation: z
      .object(askingFields(drawn.SWEBenchEval))
      .optional()
      .meta({ description: 'How the result is served and asked. Default: as a SWEBenchEval says.', ...checked(oneAtOnce) }),
    sandbox: sandboxSchema.optional(),
    images: imagesSchema.optional(),
    parallelism: parallelism.describe('Sandboxes at once. Default: 16.').optional(),
  })
  .meta({
    description: 'What the result is measured by: a SWEBenchEval <name>-gate of this resource, which serves the result, asks it for patches, and grades them. It follows suspend and cleanup of this resource. What it takes is in its own status.cost; spec.budget does not count it.',
    ...checked(...promptRules),
  })

export const gateSchema = z
  .object({
    evaluation: evaluationSchema,
    minResolvedRate: decimal('Least status.resolvedRate.value of that evaluation, the strict rate over all instances, above 0 and at most 1, as a string such as "0.30". Where predictions without a verdict (status.counts.incomplete) could still make it enough, nothing is judged and the state is CannotGate.', { above: 0, atMost: 1, message: 'above 0 and at most 1, such as "0.30"' }).optional(),
    noWorseThan: z
      .object({ name: objectName('Name of a SWEBenchEval in the same namespace, such as one of the model that the training started from. It is waited for until it is Complete.') })
      .optional()
      .describe("An evaluation that the result is compared with, over all instances of the gate, each of which needs a verdict in both. The gate is passed unless the result resolves fewer and McNemar's exact two-sided p (a sign test where instances have several samples) is below 0.05. Fewer than six instances that differ are never significant. Where an instance of the gate has no verdict in one of the two, nothing is judged and the state is CannotGate."),
  })
  .meta({
    description: 'What the result must be good for: exactly one of minResolvedRate and noWorseThan. After the training the condition Trained is True and the state Gating; the run is Complete once the gate is passed, and only then others get its result. Where it is not, the run ends GateFailed, and the result stays in the store. Removing this field before that completes the run without; its evaluation goes on by itself. Default: a run is Complete once it is trained.',
    ...checked(exactlyOneOf('minResolvedRate', 'noWorseThan')),
  })

const GATE = '-gate'
const EVAL_NAME_MAX = 46

/** On the whole object, whose name a specification does not know: the evaluation, and the Service of the result while it is served, are named after it. */
export const gateRules: readonly Rule[] = [
  {
    rule: `!has(self.spec.gate) || size(self.metadata.name) <= ${EVAL_NAME_MAX - GATE.length}`,
    message: `must have at most ${EVAL_NAME_MAX - GATE.length} characters where there is a gate, because the name of its evaluation begins with it`,
    fieldPath: '.metadata.name',
  },
  {
    rule: "!has(self.spec.gate) || self.metadata.name.matches('^[a-z]')",
    message: 'must begin with a letter where there is a gate, because the name of the Service of its result begins with it',
    fieldPath: '.metadata.name',
  },
  {
    rule: `!has(self.spec.gate) || !has(self.spec.gate.noWorseThan) || self.spec.gate.noWorseThan.name != self.metadata.name + '${GATE}'`,
    message: 'a gate cannot be compared with its own evaluation: name another SWEBenchEval',
    fieldPath: '.spec.gate.noWorseThan.name',
  },
  {
    rule: `!has(self.spec.gate) || !has(self.spec.data.trajectories) || !has(self.spec.data.trajectories.fromEval) || self.spec.data.trajectories.fromEval.name != self.metadata.name + '${GATE}'`,
    message: 'a run cannot learn from the evaluation of its own gate, which begins after the training: name another SWEBenchEval',
    fieldPath: '.spec.data.trajectories.fromEval.name',
  },
]
