import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Place } from './site.ts'
import { viewStore, type StoreView } from './store-view.ts'

const sampleSchema = z.object({ instance_id: z.string(), sample: z.int(), seed: z.int(), answer: z.string() })

/** Every answer of a model as it was stored on the way, as `instance sample seed sha256`: what was asked for twice is there twice. */
export async function storedSamples({ site, namespace }: Place, asker: Readonly<{ metadata: Readonly<{ uid?: string }> }>): Promise<readonly string[]> {
  const store = await viewStore(site)
  try {
    return await samplesBelow(store, `s3://swe-operator/${namespace}/${asker.metadata.uid}/samples/`)
  } finally {
    await store.close()
  }
}

async function samplesBelow(store: StoreView, prefix: string): Promise<readonly string[]> {
  const batches = (await store.list(prefix)).filter((uri) => /[/][1-9][0-9]*[.]jsonl$/.test(uri))
  const lines = (await Promise.all(batches.map((uri) => store.read(uri)))).flatMap((batch) => batch.toString().trim().split('\n'))
  return lines.map((line) => sampleSchema.parse(JSON.parse(line))).map(({ instance_id, sample, seed, answer }) => `${instance_id} ${sample} ${seed} ${createHash('sha256').update(answer).digest('hex')}`)
}
