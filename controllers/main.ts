// The operator's process: reads the configuration, starts, stops when asked to, and ends when it must not go on.
import { connect } from '../operator/api/kubeconfig.ts'
import { createLog } from '../operator/observe/log.ts'
import { realWorld } from '../operator/world.ts'
import { readConfig } from './config.ts'
import { createOperator } from './operator.ts'

const config = await readConfig(process.env).catch(refuseToStart)
const log = createLog(config.logLevel)
const connection = await connect({ world: realWorld, env: process.env }).catch(refuseToStart)
const operator = createOperator(config, { connection, world: realWorld, log })

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    log.info({ signal }, 'stopping')
    void operator.stop()
  })
}

await operator.start().catch(async (error: unknown) => {
  log.error({ err: error }, 'could not start')
  await operator.stop()
  process.exit(1)
})

const ended = await operator.ended
if (ended.reason !== 'Stopped') log.error({ reason: ended.reason, err: ended.error }, 'ended')
process.exit(ended.reason === 'Stopped' ? 0 : 1)

/** One readable line instead of a stack trace: the reader is whoever installed this. */
function refuseToStart(error: unknown): never {
  const reasons = error instanceof Error && error.cause instanceof Error ? `${error.message} ${error.cause.message}` : String(error)
  createLog().error({ reason: reasons }, 'the configuration cannot be used')
  process.exit(1)
}
