// How predictions are graded: what evaluations, and those who order them, have in common.
import { z } from 'zod'
import { listAtomic, listSet } from './common.ts'
import { instanceSelectSchema, rowSources } from './instances.ts'
import { cores, memory } from './quantities.ts'

const IMAGE_PART = /^[A-Za-z0-9._:/@-]*$/

/** Instances that predictions are graded on. */
export const gradedInstances = {
  ...rowSources,
  format: z
    .enum(['SWEBench', 'SWESmith', 'SWEBenchPro'])
    .describe('The columns. SWEBench: those of the sets of SWE-bench 5 (instance_id, image, eval_script, log_parser, eval_type, FAIL_TO_PASS, PASS_TO_PASS, …), those of SWE-bench Multimodal too: files that image_assets lists for the tests are fetched beforehand, from https:// or data: addresses, up to 4 MiB for an instance. SWESmith: patch is the bug that is put in before the prediction, image_name the image of the repository. SWEBenchPro: lower-case columns with lists as Python writes them, and the scripts that lie beside the data set as columns run_script and parser, base_dockerfile and instance_dockerfile; python -m swe_workloads.evaluation.pro_rows in the harness image puts them there. The image is column image, or else jefzda/sweap-images with dockerhub_tag.'),
  select: instanceSelectSchema.optional(),
}

export const sandboxSchema = z
  .object({
    resources: z
      .object({
        cpu: cores('CPU cores of the tests, as a number or a quantity such as 2 or "500m"; requested and not limited. Default: 1.').optional(),
        memory: memory('Memory of the tests, requested and limited: a patch that takes more has failed. Default: by format, 4Gi for SWEBench and SWESmith and 8Gi for SWEBenchPro.').optional(),
        ephemeralStorage: memory('Disk of the tests, requested and limited. Default: 10Gi.').optional(),
      })
      .optional()
      .describe('What the container of the tests gets.'),
    timeoutSeconds: z.int().min(10).max(86_400).optional().describe('Longest run of the tests of one prediction; more is the official state error. Default: by format, 1800 for SWEBench, 240 for SWESmith and 3600 for SWEBenchPro.'),
    network: z.enum(['Deny', 'Allow']).optional().describe('Deny: the tests reach the operator and nothing else. Allow: public addresses and the name server of the cluster too, for instances whose tests download something; private and link-local addresses stay closed. Default: Deny.'),
    isolation: z.enum(['Required', 'BestEffort']).optional().describe('Before the first sandbox, a pod with the same profile tries to get out; the condition SandboxIsolated says how far it got. Where it got out, for example because the network plug-in of the cluster enforces no NetworkPolicy, Required grades nothing, and BestEffort grades all the same. Default: Required.'),
    nodeSelector: z
      .record(z.string(), z.string().max(63).describe('Value of the label.'))
      .meta({ maxProperties: 16 })
      .optional()
      .describe('Labels of the nodes that sandboxes may use. Default: {"kubernetes.io/arch": "amd64"}, for which the published images are built.'),
    infrastructureRetries: z.int().min(0).max(20).optional().describe('How often a prediction is graded again when its sandbox was lost for no fault of its patch: a node drained or gone, an eviction, an image that could not be pulled for a while. Default: 3.'),
  })
  .describe('The pod in which one prediction is tested.')

const mirrorSchema = z
  .object({
    prefix: z.string().max(256).regex(IMAGE_PART).describe('What the name of the image begins with, such as swebench/ or docker.io/.'),
    replacement: z.string().max(256).regex(IMAGE_PART).describe('What takes its place, such as mirror.example.com/swebench/.'),
  })
  .describe('Another place of the same images.')

export const imagesSchema = z
  .object({
    template: z
      .string()
      .min(1)
      .max(256)
      .regex(/^([A-Za-z0-9._:/@-]|[{](instance_id|instance_id_1776|instance_id_s|image)[}])+$/)
      .optional()
      .describe('Name of the image of each instance, for images that others have published. {instance_id} is the id in small letters, {instance_id_1776} and {instance_id_s} the same with _1776_ and _s_ for __, {image} what the row says. Such as ghcr.io/epoch-research/swe-bench.eval.x86_64.{instance_id}:latest, xingyaoww/sweb.eval.x86_64.{instance_id_s} (SWE-Gym), swebench/sweb.eval.x86_64.{instance_id_1776}:latest (the official ones). Default: what the row says.'),
    mirrors: z.array(mirrorSchema).min(1).max(16).meta({ description: 'Where images are pulled from instead: the first prefix that fits the name counts. Default: none.', ...listAtomic }).optional(),
    pullSecrets: z
      .array(z.string().min(1).max(253).regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/).describe('Name of a Secret.'))
      .max(8)
      .meta({ description: 'Secrets of type kubernetes.io/dockerconfigjson in the same namespace, for the images of the instances. Default: none.', ...listSet })
      .optional(),
    pinDigests: z
      .enum(['Required', 'BestEffort', 'Never'])
      .optional()
      .describe('Whether the preparation asks the registries which digest each tag has, so that all tries of an instance, and a later evaluation, run the same bytes. BestEffort: an image whose digest cannot be had runs by its name; status.data.unpinnedImageExamples says why. Required: then nothing runs. Never: images run by the names they have. The pod of the preparation needs a way to the registries over HTTPS and uses the pull secrets. Where the installation never pulls images, there is nothing to ask for. Default: BestEffort, or Never where images are never pulled.'),
    pullTimeoutSeconds: z.int().min(10).max(86_400).optional().describe('How long the image of an instance may take to be there; a clock of its own beside that of the tests. Default: 1800.'),
  })
  .describe('Where the images of the instances come from.')

export const parallelism = z.int().min(1).max(2048).describe('Sandboxes at once. Can be changed at any time. Default: 16.')
