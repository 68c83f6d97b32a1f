import { restrictedJob } from './restricted-job.ts'
import type { Place } from './site.ts'

const JOB = 'engine-tests'

/** Starts the tests that the trainer image carries. They take minutes of one core, so they run beside the scenarios. */
export async function startEngineTests({ site, namespace }: Place): Promise<void> {
  await site.kube.apply(restrictedJob({
    namespace,
    name: JOB,
    image: site.images.trainer,
    workingDir: '/opt/swe-workloads',
    command: ['python', '-m', 'unittest', 'discover', '-s', 'tests/engine', '-t', 'tests', '--verbose'],
  }))
}

/** Waits for their end; says whether they passed and what they said last. */
export async function untilEngineTestsEnd({ site, namespace }: Place, seconds: number): Promise<Readonly<{ passed: boolean; log: string }>> {
  const wait = ['wait', `job/${JOB}`, '-n', namespace, '--for=condition=complete', `--timeout=${seconds}s`]
  const passed = await site.kube.run(wait).then(() => true, () => false)
  return { passed, log: await site.kube.run(['logs', `job/${JOB}`, '-n', namespace, '--tail=60']) }
}
