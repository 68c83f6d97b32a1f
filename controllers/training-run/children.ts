import type { TrainingRun, TrainingRunAttempt } from '../../crds/training-run.ts'
import { lastWordOf, numbered, type Child, type Children } from '../jobs/children.ts'
import { readPrepareVerdict, readPublishVerdict, readTrainVerdict, type PrepareVerdict, type PublishVerdict, type TrainVerdict } from './verdicts.ts'

/** One run of the prepare program. */
export type Preparation = Child & Readonly<{ verdict?: PrepareVerdict }>

/** One run of the program that gives the result to a hub. */
export type Publication = Child & Readonly<{ verdict?: PublishVerdict }>

/** One try to train, put together from whatever still knows of it: status, Job, pods, store. */
export type Attempt = Child & Readonly<{
  /** As the status has it. */
  record?: TrainingRunAttempt
  verdict?: TrainVerdict
  /** It is over, no pod says how, and the store could not be asked. */
  unread?: true
  /** The pool of the node that its queue chose for it. */
  pool?: string
  /** Why nobody should train on the GPUs of that node. */
  unfit?: string
  /** Older than the oldest attempt that the status still tells of; its end was recorded once. */
  forgotten?: true
}>

export function preparationsOf(children: Children): readonly Preparation[] {
  return numbered(children, 'prepare', []).map((child) => {
    const { verdict } = readPrepareVerdict(lastWordOf(child))
    return { ...child, ...(verdict === undefined ? {} : { verdict }) }
  })
}

export function publicationsOf(children: Children): readonly Publication[] {
  return numbered(children, 'publish', []).map((child) => {
    const { verdict } = readPublishVerdict(lastWordOf(child))
    return { ...child, ...(verdict === undefined ? {} : { verdict }) }
  })
}

export function attemptsOf(run: TrainingRun, children: Children): readonly Attempt[] {
  const records = run.status?.attempts ?? []
  return numbered(children, 'train', records.map(({ number }) => number)).map((child) => {
    const record = records.find(({ number }) => number === child.number)
    const { verdict } = readTrainVerdict(lastWordOf(child))
    const isForgotten = record === undefined && isBeforeAll(records, child.number)
    return { ...child, ...(record === undefined ? {} : { record }), ...(verdict === undefined ? {} : { verdict }), ...(isForgotten ? { forgotten: true } : {}) }
  })
}

/** Whether the status tells, or told, how it ended; what is recorded is never rewritten. */
export function isRecorded({ record, forgotten }: Attempt): boolean {
  return forgotten === true || (record !== undefined && record.state !== 'Running')
}

/** Whether the attempt fell off the front of the table, which keeps the newest only. */
export function isBeforeAll(records: readonly TrainingRunAttempt[], number: number): boolean {
  return records.length > 0 && records.every((record) => number < record.number)
}
