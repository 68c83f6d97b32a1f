// npm run bench -- <name>: measures one thing and prints its figures; the last line is one JSON object.
import { verdictOn, type Bench } from './result.ts'

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  operator: async () => (await import('./operator.ts')).operatorBench,
  drain: async () => (await import('./drain.ts')).drainBench,
  overhead: async () => (await import('./overhead.ts')).overheadBench,
  memory: async () => (await import('./memory.ts')).memoryBench,
  reaction: async () => (await import('./reaction.ts')).reactionBench,
  crash: async () => (await import('./crash.ts')).crashBench,
  pod: async () => (await import('./pod.ts')).podBench,
  training: async () => (await import('./training.ts')).trainingBench,
}

const [name = ''] = process.argv.slice(2)
const load = benches[name]
if (!load) {
  console.error(`There is no bench ${JSON.stringify(name)}. Usage: npm run bench -- ${Object.keys(benches).join(' | ')}`)
  process.exit(2)
}
const verdict = verdictOn(name, await (await load())((line) => console.log(line)))
console.log(JSON.stringify(verdict))
process.exit(verdict.held ? 0 : 1)
