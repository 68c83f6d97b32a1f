import type { Readable } from 'node:stream'
import type { ObjectStore } from '../store/store.ts'
import { TEST } from '../swebench-eval/judgement.ts'
import { evalKeys, runPrefix } from '../store/keys.ts'
import type { AdmittedSandbox } from './sandbox-gate.ts'
import { fromStore } from './artifacts.ts'
import { Refusal } from './refusal.ts'

export const MAX_OUTPUT_BYTES = 68 * 1024 * 1024 // a log at its cap of 64 MiB, and what is written around it

/** What a sandbox may leave in the store. */
const OUTPUTS = ['report.json', 'test_output.txt', 'patch.diff', 'eval.sh', 'run_instance.log', 'stdout.log', 'stderr.log', 'output.json', 'dry_run.log']
const VERDICT = 'verdict.json'

/** The prediction, its instance and how to test it. Rejects with a Refusal. */
export async function sandboxInput(store: ObjectStore, { evaluation, sandbox }: AdmittedSandbox): Promise<Readable> {
  const prefix = evaluation.status?.data?.prefix
  if (prefix === undefined) throw new Refusal('NotReady', 'The predictions are not prepared yet; try again.')
  const found = await fromStore(store.open(runPrefix(sandbox) + evalKeys.input(prefix, sandbox.unit.ordinal)))
  if (found === undefined) throw new Refusal('RunNotFound', `There is no input for prediction ${sandbox.unit.ordinal}.`)
  return found
}

/** The verdict that an earlier pod of the same try left. Rejects with a Refusal. */
export async function sandboxVerdict(store: ObjectStore, { sandbox }: AdmittedSandbox): Promise<Readable> {
  const found = await fromStore(store.open(runPrefix(sandbox) + evalKeys.verdict(sandbox.unit)))
  if (found === undefined) throw new Refusal('RunNotFound', 'This try has no verdict yet.')
  return found
}

/** The image that the tests of the pod run in, as the kubelet says. Throws a Refusal while it has not said so. */
export function sandboxImage({ pod }: AdmittedSandbox): Readonly<{ image: string }> {
  const image = pod.status?.containerStatuses?.find(({ name }) => name === TEST)?.imageID
  if (image === undefined || image === '') throw new Refusal('RunNotFound', 'The kubelet has not said which image the tests run in.')
  return { image }
}

export type Output = Readonly<{ file: string; body: Readable; sizeBytes: number }>

/**
 * Keeps one output of a try. The verdict commits it and is written once: `Exists` says that an earlier pod of the same
 * try was first. The others may be written again until then, by a pod that takes the place of one that was lost.
 */
export async function keepOutput(store: ObjectStore, { sandbox }: AdmittedSandbox, { file, body, sizeBytes }: Output): Promise<void> {
  if (sizeBytes > MAX_OUTPUT_BYTES) throw new Refusal('BodyTooLarge', `An output may have ${MAX_OUTPUT_BYTES} bytes.`)
  if (file === VERDICT) {
    const written = await fromStore(store.write(runPrefix(sandbox) + evalKeys.verdict(sandbox.unit), body, { sizeBytes, replaces: 'Never' }))
    if (written === 'Exists') throw new Refusal('Exists', 'An earlier pod of this try has left a verdict.')
    return
  }
  if (!OUTPUTS.includes(file)) throw new Refusal('InvalidKey', `${JSON.stringify(file)} is no output; there are ${[VERDICT, ...OUTPUTS].join(', ')}.`)
  await fromStore(store.write(runPrefix(sandbox) + evalKeys.output(sandbox.unit, file), body, { sizeBytes, replaces: 'Always' }))
}
