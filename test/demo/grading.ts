// The second half of the demo: predictions graded in sandboxes, and what became of those that something is the matter with.
import { ensureNamespace, type Site } from '../world/site.ts'
import { shipInstances } from '../world/evaluations.ts'
import { type Compared, FIXTURE_SETS, gradeFixtureSet } from '../world/fixture-set.ts'
import type { Finding } from './report.ts'
import { say } from './screen.ts'

const NAMESPACE = 'demo-evaluations'
const LIMIT_SECONDS = 900

/** Grades the fixture set; prints the traps as a table. */
export async function gradePredictions(site: Site): Promise<readonly Finding[]> {
  const place = { site, namespace: NAMESPACE }
  await ensureNamespace(site.kube, NAMESPACE, 'baseline')
  await shipInstances(place, say)
  const all: Finding[] = []
  for (const set of FIXTURE_SETS) {
    say(`     kubectl apply: SWEBenchEval ${set}`)
    const { evaluation, compared } = await gradeFixtureSet(place, set, LIMIT_SECONDS)
    const { resolved = 0, total = 0 } = evaluation.status?.counts ?? {}
    if (set === 'traps') say(table(compared))
    const agreeing = compared.filter(({ agrees }) => agrees).length
    all.push({ claim: `${set}: as the official harness says`, held: agreeing === compared.length, seen: `${agreeing} of ${compared.length}; ${resolved} of ${total} resolved` })
  }
  return all
}

function table(compared: readonly Compared[]): string {
  const width = Math.max(...compared.map(({ name }) => name.length))
  return ['', ...compared.map(({ name, got, agrees, why }) => `     ${agrees ? '   ' : 'NO '}${name.padEnd(width)}  ${got.padEnd(11)} ${why}`), ''].join('\n')
}
