// npm run demo: a real cluster, the operator from its chart, and what a person would try first. With the argument "pipeline": from a base model to a better one.
import { openSite } from '../world/site.ts'
import { pipeline } from './pipeline.ts'
import { quickstart } from './quickstart.ts'
import { closeScreen, say } from './screen.ts'

const SHOWS = { quickstart, pipeline }

const name = process.argv[2] ?? 'quickstart'
try {
  const show = Object.entries(SHOWS).find(([known]) => known === name)?.[1]
  if (show === undefined) throw new Error(`there is no demo "${name}"; there are: ${Object.keys(SHOWS).join(', ')}.`)
  process.exitCode = (await show(() => openSite('demo', say))) ? 0 : 1
} catch (error) {
  closeScreen()
  say(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
