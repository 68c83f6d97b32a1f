// npm run test:engine: the tests that the trainer image carries, of the real engine, in a pod of the local cluster.
import { restrictedJob } from './world/restricted-job.ts'
import { ensureNamespace, openCluster } from './world/site.ts'
import { until } from './world/until.ts'

const NAME = 'engine-tests'
const LIMIT_SECONDS = 2700
const TAIL_LINES = 400

const { kube, images } = await openCluster('test', console.log)
await ensureNamespace(kube, NAME)
await kube.run(['delete', 'job', NAME, '-n', NAME, '--ignore-not-found', '--wait'])
await kube.apply(restrictedJob({
  namespace: NAME,
  name: NAME,
  image: images.trainer,
  workingDir: '/opt/swe-workloads',
  command: ['python', '-m', 'unittest', 'discover', '-s', 'tests/engine', '-t', 'tests', '--verbose', '--durations', '12'],
}))
console.log(`testing ${images.trainer}`)
const status = await until('the engine tests have ended', LIMIT_SECONDS, async () => {
  const job = await kube.get<{ status?: { failed?: number; succeeded?: number } }>('job', NAME, NAME)
  return (job?.status?.failed ?? job?.status?.succeeded) !== undefined && job?.status
}, log)
const said = await log()
const passed = status.succeeded === 1 && /Ran [1-9]\d* tests?[\s\S]*OK/.test(said)
console.log(passed ? said.split('\n').filter((line) => /^(Ran |[0-9.]+s +test_)/.test(line)).join('\n') : said)
process.exitCode = passed ? 0 : 1

function log(): Promise<string> {
  return kube.run(['logs', `job/${NAME}`, '-n', NAME, `--tail=${TAIL_LINES}`])
}
