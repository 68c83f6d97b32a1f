import { describe, expect, it } from 'vitest'
import { stage } from './stage.ts'

const LIMIT_SECONDS = 420

describe('the trainer image', () => {
  const { site, namespace } = stage()

  it('resumes and ends exactly, by the tests it carries', async () => {
    await site.kube.run(['delete', 'job', 'engine-tests', '-n', namespace, '--ignore-not-found', '--wait'])
    await site.kube.apply(engineTestsJob())
    const ended = await site.kube.run(['wait', 'job/engine-tests', '-n', namespace, '--for=condition=complete', `--timeout=${LIMIT_SECONDS}s`]).catch(String)
    const log = await site.kube.run(['logs', 'job/engine-tests', '-n', namespace, '--tail=40'])
    expect(ended, log).toContain('condition met')
    expect(log).toMatch(/Ran [1-9]\d* tests?[\s\S]*OK/)
  })

  function engineTestsJob(): object {
    const container = {
      name: 'tests',
      image: site.images.trainer,
      workingDir: '/opt/swe-workloads',
      command: ['python', '-m', 'unittest', 'discover', '-s', 'tests/engine', '-t', 'tests', '--verbose'],
      securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
      env: [{ name: 'HOME', value: '/work' }, { name: 'TMPDIR', value: '/work' }],
      volumeMounts: [{ name: 'work', mountPath: '/work' }],
    }
    const spec = {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container],
      volumes: [{ name: 'work', emptyDir: {} }],
    }
    return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'engine-tests', namespace }, spec: { backoffLimit: 0, template: { spec } } }
  }
})
