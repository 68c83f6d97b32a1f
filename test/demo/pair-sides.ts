import { z } from 'zod'
import type { PreferenceGen } from '../../crds/preference-gen.ts'
import { reportFileOf } from '../world/evaluations.ts'
import type { Site } from '../world/site.ts'
import type { Finding } from './report.ts'

const verdictSchema = z.object({ verdict: z.object({ state: z.string() }) })
const pairSchema = z.object({ chosen: verdictSchema, rejected: verdictSchema })

/** Whether the file that says where each pair is from has a verdict of its tests for both sides. */
export async function compareSides(site: Site, made: PreferenceGen): Promise<Finding> {
  const lines = (await reportFileOf(site, made, 'provenance.jsonl')).trim().split('\n')
  const pairs = lines.filter((line) => line !== '').map((line) => pairSchema.parse(JSON.parse(line)))
  const graded = pairs.filter(({ chosen, rejected }) => chosen.verdict.state === 'Resolved' && rejected.verdict.state !== 'Resolved')
  const { samples, resolved } = made.status?.counts ?? {}
  return { claim: 'both sides of each pair were tested', held: pairs.length > 0 && graded.length === pairs.length, seen: `${graded.length} of ${pairs.length} pairs; ${resolved} of ${samples} samples resolve` }
}
