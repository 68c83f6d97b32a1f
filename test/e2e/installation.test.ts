import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { proveLifecycle } from '../cluster/lifecycle.ts'
import { complaintsAbout } from '../cluster/promtool.ts'
import { OPERATOR_NAMESPACE } from '../world/site.ts'
import { until } from '../world/until.ts'
import { stage } from './stage.ts'

describe('the installed chart', () => {
  const { site } = stage()

  it('passes its own helm test', async () => {
    const { stdout } = await promisify(execFile)(site.cluster.binaries.helm, [
      'test', 'swe-operator', '--namespace', OPERATOR_NAMESPACE, '--kubeconfig', site.cluster.kubeconfigPath, '--timeout', '2m',
    ])
    expect(stdout).toMatch(/Phase:\s+Succeeded/)
  })

  it('marks the one leading pod, which the progress service selects', async () => {
    const leaders = await until('one leader is labelled', 180, async () => {
      const pods = await site.kube.list('pods', { namespace: OPERATOR_NAMESPACE, selector: 'swe-operator.dev/leader=true' })
      return pods.length === 1 && pods
    })
    expect(leaders[0]?.metadata.name).toMatch(/^swe-operator-/)
  })

  it('serves its metrics under the names dashboards know', async () => {
    const pod = (await site.kube.list('pods', { namespace: OPERATOR_NAMESPACE, selector: 'swe-operator.dev/leader=true' }))[0]
    const metrics = await site.kube.run(['get', '--raw', `/api/v1/namespaces/${OPERATOR_NAMESPACE}/pods/${pod?.metadata.name}:8080/proxy/metrics`])
    for (const name of ['controller_runtime_reconcile_total', 'workqueue_depth', 'rest_client_requests_total', 'leader_election_master_status', 'swe_operator_training_runs']) {
      expect(metrics).toContain(`\n# TYPE ${name} `)
    }
    expect(await complaintsAbout(metrics)).toEqual([])
  })
})

describe('the local cluster', () => {
  it('comes up, survives its own parts and leaves nothing behind', async () => {
    const steps: string[] = []
    await proveLifecycle('lifecycle', (step) => steps.push(step)).catch((error: unknown) => expect.fail([...steps, String(error)].join('\n')))
  })
})
