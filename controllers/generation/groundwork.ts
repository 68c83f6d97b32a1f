// What pods are told, where the cluster has something else: after a rotation of the certificate, or when somebody deleted it.
import type { KubeObject } from '../../operator/api/object.ts'
import { unlessSame } from '../jobs/inputs.ts'
import type { Observed } from './observed.ts'
import { buildQuestions } from './resources/questions.ts'
import { buildServingInputs } from './resources/serving.ts'
import { isServed, servedModel } from './serving/model.ts'

/** What must be there before somebody asks. */
export function groundwork(seen: Observed): readonly KubeObject[] {
  const { asker, resolved, questions, caBundle } = seen
  if (caBundle === undefined) return []
  return [...servingInputs(seen), ...unlessSame(questions, buildQuestions(asker, resolved, caBundle))]
}

/** What the pod is told that serves the model, for its next start too. */
export function servingInputs({ asker, resolved, server, caBundle }: Observed): readonly KubeObject[] {
  if (!isServed(asker) || servedModel(asker) === undefined || caBundle === undefined) return []
  return unlessSame(server.inputs, buildServingInputs(asker, resolved, caBundle))
}
