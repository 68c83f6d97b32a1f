// One replica of the runtime as its own process, started by process.test.ts, which kills it: ends as the operator does.
import { connect } from '../../operator/api/kubeconfig.ts'
import { createManager } from '../../operator/manager.ts'
import { createLog } from '../../operator/observe/log.ts'
import { fleetController } from '../../operator/testing/fleet.ts'
import { realWorld } from '../../operator/world.ts'

const { REPLICA: name = '', LEASE: leaseName = '' } = process.env
const manager = createManager({
  connection: await connect({ world: realWorld, env: process.env }),
  world: realWorld,
  log: createLog('error'),
  pod: { name, uid: 'u1', namespace: 'a' },
  leaseName,
  fieldManager: name,
  controllers: [fleetController()],
  http: { host: '127.0.0.1', port: 0 },
})
process.once('SIGTERM', () => void manager.stop())
await manager.start()
const { reason } = await manager.ended
process.exit(reason === 'Stopped' ? 0 : 1)
