import { pullSecretMounts, type ImageSettings, type Mount } from '../../jobs/program-pod.ts'
import { sourceMounts } from '../../shared/sources.ts'
import type { Asker } from '../asker.ts'
import { styleOf } from '../resolve.ts'

const PROMPT_FOLDER = '/etc/swe-operator-prompt'

/** How instances become prompts, for the programs. */
export function buildPrompt(asker: Asker, { promptCodeTokens }: Readonly<{ promptCodeTokens: number }>): Readonly<Record<string, unknown>> {
  const { promptTemplate, images } = asker.spec
  return {
    style: styleOf(asker),
    ...(promptTemplate === undefined ? {} : { templateFile: `${PROMPT_FOLDER}/${promptTemplate.key}` }),
    codeTokens: promptCodeTokens,
    ...(showsCode(asker) && images !== undefined ? { images: { template: images.template, mirrors: images.mirrors } } : {}),
  }
}

/** What a pod mounts to make prompts. */
export function promptMounts(asker: Asker, { imagePullSecrets = [] }: ImageSettings): readonly Mount[] {
  const { promptTemplate: configMap, images } = asker.spec
  const code = showsCode(asker) ? pullSecretMounts([...imagePullSecrets, ...(images?.pullSecrets ?? [])]) : []
  return [...sourceMounts('prompt', { configMap }, PROMPT_FOLDER), ...code]
}

/** Whether code may have to be read out of the images of the instances. */
function showsCode(asker: Asker): boolean {
  return styleOf(asker) !== 'Pro'
}
