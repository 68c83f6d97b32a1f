import { PREDICTION } from '../../controllers/swebench-eval/resources/sandbox-pod.ts'
import type { Place } from '../world/site.ts'

/** How long pods took from their creation to their end, by the clock of one who watches. */
export type PodLives = Readonly<{
  /** Seconds of the one pod with such a name; throws where it was not seen from its creation to its end. */
  of(isIt: (name: string) => boolean): number
  stop(): Promise<void>
}>

const ENDED = new Set(['Succeeded', 'Failed'])
const EVENT = '{.type}{" "}{.object.metadata.name}{" "}{.object.status.phase}{"\\n"}'

/** Watches the pods of a namespace that are labelled as sandboxes. */
export function followPods({ site, namespace }: Place): PodLives {
  const began = new Map<string, number>()
  const ended = new Map<string, number>()
  const watch = site.kube.follow(['get', 'pods', '-n', namespace, '-l', PREDICTION, '--watch', '--output-watch-events', '-o', `jsonpath=${EVENT}`], (line) => {
    const [type = '', name = '', phase = ''] = line.split(' ')
    if (type === 'ADDED') began.set(name, performance.now())
    else if (ENDED.has(phase) && !ended.has(name)) ended.set(name, performance.now())
  })
  return {
    of(isIt) {
      const name = [...ended.keys()].find(isIt)
      const from = began.get(name ?? '')
      if (name === undefined || from === undefined) throw new Error(`no such pod was seen from its creation to its end; these were: ${[...ended.keys()].join(', ')}`)
      return ((ended.get(name) ?? NaN) - from) / 1000
    },
    stop: watch.stop,
  }
}
