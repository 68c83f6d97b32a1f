// Instances of software engineering benchmarks: how every kind names and chooses them.
import { z } from 'zod'
import { checked, configMapKeySchema, hubDatasetSchema, listSet, s3FileSchema, seed } from './common.ts'

/** Where rows may come from; one of them is set. */
export const rowSources = { configMap: configMapKeySchema.optional(), s3: s3FileSchema.optional(), hub: hubDatasetSchema.optional() }

export const ROW_FILES = 'exactly one of configMap, s3 and hub. Files are jsonl, json or parquet, by the ending of their name'

export const limit = z.int().min(1).max(1_000_000).describe('Use at most this many of the selected rows, chosen by seed. Default: all.')
export const selectSeed = seed('Seed of the choice that limit makes. Default: spec.seed.')
const testCount = z.int().min(0).max(100_000)

const failToPassSchema = z
  .object({
    min: testCount.optional().describe('At least this many tests. Default: 0.'),
    max: testCount.optional().describe('At most this many tests. Default: any number.'),
  })
  .meta({
    description: 'Use only instances with so many FAIL_TO_PASS tests: those that fail before the gold patch and pass with it.',
    ...checked({ rule: '!has(self.min) || !has(self.max) || self.min <= self.max', message: 'min must not be above max' }),
  })

export const instanceSelectSchema = z
  .object({
    instanceIds: z
      .array(z.string().min(1).max(128).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/).describe('An instance_id, such as django__django-13251.'))
      .min(1)
      .max(2500)
      .meta({ description: 'Use only these instances, such as ["django__django-13251"]. Default: all.', ...listSet })
      .optional(),
    idContains: z.string().min(1).max(128).optional().describe('Use only instances whose instance_id contains this text, such as ".pr_". Default: all.'),
    repos: z
      .array(z.string().min(3).max(128).regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*[/][A-Za-z0-9_.-]+$/).describe('A repository as owner/name, such as django/django.'))
      .min(1)
      .max(500)
      .meta({ description: 'Use only instances of these repositories, such as ["django/django"]. Default: all.', ...listSet })
      .optional(),
    failToPass: failToPassSchema.optional(),
    limit: limit.optional(),
    seed: selectSeed.optional(),
  })
  .describe('Which instances to use. The conditions are combined: an instance must meet all that are set.')
