// The chart in a real API server: everything is accepted as rendered, and the two admission policies hold.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts'
import { run, succeeds, waitUntil } from '../cluster/exec.ts'

const SYSTEM = 'swe-operator-system'
const OPERATOR = `system:serviceaccount:${SYSTEM}:swe-operator`
const JOB_CONTROLLER = 'system:serviceaccount:kube-system:job-controller'
const OURS = { 'app.kubernetes.io/managed-by': 'swe-operator' }
const chart = join(import.meta.dirname, '../../charts/swe-operator')
const golden = join(import.meta.dirname, '../../controllers/training-run/resources/golden')
const servers = join(import.meta.dirname, '../../controllers/generation/resources/golden')
const jobs = readdirSync(golden).filter((name) => name.includes('-job-'))

let plane: ControlPlane

beforeAll(async () => {
  plane = await startControlPlane({ name: 'admission' })
  await run(plane.binaries.helm, ['install', 'swe-operator', chart, '--kubeconfig', plane.kubeconfigPath, '--namespace', SYSTEM, '--create-namespace'])
  for (const namespace of ['team-a', 'team-b']) await kubectl(['create', 'namespace', namespace])
  // Everything that the operator's own role denies is granted here, so that it is the policy that answers.
  await kubectl(['create', 'clusterrolebinding', 'stolen', '--clusterrole=cluster-admin', `--user=${OPERATOR}`])
  for (const author of ['alice', 'bob']) await kubectl(['-n', 'team-a', 'create', 'rolebinding', author, '--clusterrole=swe-operator-edit', `--user=${author}`])
  await kubectl(['-n', 'team-a', 'create', 'role', 'reader', '--verb=get', '--resource=secrets', '--resource-name=models'])
  await kubectl(['-n', 'team-a', 'create', 'rolebinding', 'reader', '--role=reader', '--user=bob'])
  await Promise.all([
    waitUntil('the policy on workloads is enforced', 60_000, () => isDeniedBy('swe-operator-workloads', OPERATOR, aPod({ hostNetwork: true }))),
    waitUntil('the policy on Secrets is enforced', 60_000, () => isDeniedBy('swe-operator-secret-references', 'alice', aRun('probe', 'models'))),
  ])
})

afterAll(() => plane.stop())

function kubectl(args: readonly string[], input?: unknown): Promise<string> {
  return run(plane.binaries.kubectl, ['--kubeconfig', plane.kubeconfigPath, ...args], input === undefined ? {} : { input: JSON.stringify(input) })
}

/** Sends the object to be created without storing it. */
const tryCreate = (user: string, object: unknown) => kubectl(['create', '--dry-run=server', '--as', user, '-f', '-'], object)
const isDeniedBy = (policy: string, user: string, object: unknown) => tryCreate(user, object).then(() => false, (error: unknown) => String(error).includes(policy))
const isAllowed = (user: string, object: unknown) => tryCreate(user, object).then(() => true, () => false)

const container = { name: 'main', image: 'x', securityContext: { allowPrivilegeEscalation: false } }
const podSpec = { restartPolicy: 'Never', serviceAccountName: 'default', automountServiceAccountToken: false, containers: [container] }

function aPod(change: object, labels: object = OURS): unknown {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'team-a', name: 'some-pod', labels }, spec: { ...podSpec, ...change } }
}

function aJob(change: object = {}, podLabels: object = OURS): unknown {
  const template = { metadata: { labels: podLabels }, spec: { ...podSpec, ...change } }
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { namespace: 'team-a', name: 'some-job', labels: OURS }, spec: { template } }
}

function aRunWith(change: object): unknown {
  const run = aRun('run')
  return { ...run, spec: { ...run.spec, ...change } }
}

function aRun(name: string, modelSecret?: string, dataSecret?: string) {
  const secretRef = (secret: string | undefined) => (secret === undefined ? {} : { secretRef: { name: secret } })
  return {
    apiVersion: 'swe-operator.dev/v1alpha1',
    kind: 'TrainingRun',
    metadata: { namespace: 'team-a', name },
    spec: {
      method: 'SFT',
      engine: 'TRL',
      model: { s3: { uri: 's3://models/base', ...secretRef(modelSecret) } },
      data: { files: { s3: { uri: 's3://data/rows.jsonl', ...secretRef(dataSecret) }, format: 'Messages' } },
      lora: {},
      duration: { maxSteps: 10 },
    },
  }
}

function anEvaluationWith(change: object): object {
  const spec = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, predictions: { gold: {} } }
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'SWEBenchEval', metadata: { namespace: 'team-a', name: 'eval' }, spec: { ...spec, ...change } }
}

function aService(change: object = {}, labels: object = OURS): unknown {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'team-a', name: 'some-service', labels }, spec: { selector: { a: 'b' }, ports: [{ port: 8000 }], ...change } }
}

function aPreferenceGenWith(model: object, more: object = {}): unknown {
  const spec = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWESmith' }, generation: { model }, ...more }
  return { apiVersion: 'swe-operator.dev/v1alpha1', kind: 'PreferenceGen', metadata: { namespace: 'team-a', name: 'prefs' }, spec }
}

const withContainer = (change: object) => ({ containers: [{ ...container, ...change }] })
const token = (audience: object) => ({ volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token', ...audience } }] } }] })

describe("what the operator's identity creates", () => {
  it('is accepted when it is an ordinary Job with our label', async () => {
    expect(await tryCreate(OPERATOR, aJob(token({ audience: 'swe-operator.dev/trainingruns/1' })))).toContain('job.batch/some-job created')
  })

  it.each(jobs)('is accepted when it is a Job as resources/golden/%s shows it, to the last field', async (file) => {
    const job = readFileSync(join(golden, file), 'utf8').replace('namespace: team\n', 'namespace: team-a\n')
    expect(await tryCreate(OPERATOR, load(job))).toContain('created')
  })

  it.each(['server', 'server-of-run', 'server-vllm', 'server-vllm-of-run', 'server-sglang', 'server-sglang-of-run', 'server-service', 'server-policy'])('is accepted when it is a part of a model server as resources/golden/%s.yaml shows it', async (name) => {
    const part = readFileSync(join(servers, `${name}.yaml`), 'utf8').replace('namespace: team\n', 'namespace: team-a\n')
    expect(await tryCreate(OPERATOR, load(part))).toContain('created')
  })

  it('is refused when it is a Service that leads elsewhere, stands open, or lacks our label', async () => {
    expect(await isAllowed(OPERATOR, aService())).toBe(true)
    for (const change of [{ externalIPs: ['203.0.113.1'] }, { type: 'LoadBalancer' }, { type: 'NodePort' }]) {
      await expect(tryCreate(OPERATOR, aService(change))).rejects.toThrow('Service some-service must be of type ClusterIP and have no externalIPs.')
    }
    await expect(tryCreate(OPERATOR, aService({}, {}))).rejects.toThrow('Service some-service does not carry the label')
  })

  it('is accepted when it is a ConfigMap with our label', async () => {
    expect(await isAllowed(OPERATOR, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'team-a', name: 'inputs', labels: OURS } })).toBe(true)
  })

  it.each([
    ['is privileged', withContainer({ securityContext: { privileged: true } }), 'must set allowPrivilegeEscalation to false in every container'],
    ['may gain privileges', withContainer({ securityContext: {} }), 'must set allowPrivilegeEscalation to false in every container'],
    ['has an added capability', withContainer({ securityContext: { allowPrivilegeEscalation: false, capabilities: { add: ['SYS_PTRACE'] } } }), 'without privileged, added capabilities'],
    ['has a privileged init container', { initContainers: [{ ...container, name: 'init', securityContext: { privileged: true } }] }, 'must set allowPrivilegeEscalation to false'],
    ['mounts a path of the node', { volumes: [{ name: 'root', hostPath: { path: '/' } }] }, 'may only mount volumes of the types configMap'],
    ['shares the network of the node', { hostNetwork: true }, 'must not share the network, process or IPC namespace of its node'],
    ['sees the processes of the node', { hostPID: true }, 'must not share the network, process or IPC namespace of its node'],
    ['takes a port of the node', withContainer({ ports: [{ containerPort: 80, hostPort: 80 }] }), 'nor use a hostPort'],
    ['gets a token of the API server', { automountServiceAccountToken: true }, 'must set automountServiceAccountToken to false'],
    ['asks for a token of the API server by volume', token({}), 'may only project tokens for audiences below swe-operator.dev/'],
  ])('is refused when it %s, as Job and as pod', async (_, change, message) => {
    await expect(tryCreate(OPERATOR, aJob(change))).rejects.toThrow(message)
    await expect(tryCreate(OPERATOR, aPod(change))).rejects.toThrow(message)
  })

  it('is refused without our label, on the object or on its pods', async () => {
    await expect(tryCreate(OPERATOR, aJob({}, {}))).rejects.toThrow(
      'Job some-job does not carry the label app.kubernetes.io/managed-by=swe-operator, so swe-operator may not create, change or delete it.',
    )
    await expect(tryCreate(OPERATOR, aPod({}, {}))).rejects.toThrow('Pod some-pod does not carry the label')
  })
})

describe('pods that the Job controller makes', () => {
  it('are held to the same when they carry our label', async () => {
    expect(await isAllowed(JOB_CONTROLLER, aPod({}))).toBe(true)
    await expect(tryCreate(JOB_CONTROLLER, aPod({ hostNetwork: true }))).rejects.toThrow('must not share the network')
  })

  it("are nobody's business here when they do not", async () => {
    expect(await isAllowed(JOB_CONTROLLER, aPod({ hostNetwork: true }, {}))).toBe(true)
  })
})

describe('what belongs to others', () => {
  beforeAll(async () => {
    await kubectl(['-n', 'team-a', 'create', 'configmap', 'theirs'])
    await kubectl(['create', '-f', '-'], aPod({}, {}))
    const leader = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: SYSTEM, name: 'swe-operator-0', labels: { 'app.kubernetes.io/name': 'swe-operator', 'app.kubernetes.io/component': 'operator' } }, spec: podSpec }
    await kubectl(['create', '-f', '-'], leader)
  })

  it('cannot be changed or deleted by the operator', async () => {
    const asOperator = (...args: string[]) => kubectl([...args, '--as', OPERATOR, '--dry-run=server'])
    await expect(asOperator('-n', 'team-a', 'delete', 'configmap', 'theirs')).rejects.toThrow('ConfigMap theirs does not carry the label')
    await expect(asOperator('-n', 'team-a', 'delete', 'pod', 'some-pod')).rejects.toThrow('Pod some-pod does not carry the label')
    await expect(asOperator('-n', 'team-a', 'label', 'pod', 'some-pod', 'app.kubernetes.io/managed-by=swe-operator')).rejects.toThrow('Pod some-pod does not carry the label')
  })

  it('does not include its own pod, which it marks as the leader', async () => {
    expect(await kubectl(['-n', SYSTEM, 'label', 'pod', 'swe-operator-0', 'swe-operator.dev/leader=true', '--as', OPERATOR])).toContain('labeled')
  })
})

describe('an author who names a Secret', () => {
  it('is refused without the right to get it, and told which field and what to do', async () => {
    await expect(tryCreate('alice', aRun('run', 'models'))).rejects.toThrow(
      'spec.model.s3.secretRef: you may not get Secret "models" in namespace "team-a". Name a Secret that you may read, or ask for a Role that allows get on this one.',
    )
    await expect(tryCreate('bob', aRun('run', 'models', 'rows'))).rejects.toThrow('spec.data.files.s3.secretRef: you may not get Secret "rows" in namespace "team-a".')
  })

  const hub = (secret: string) => ({ hub: { repo: 'team/it', tokenSecretRef: { name: secret } } })
  const rows = { s3: { uri: 's3://data/rows.jsonl', secretRef: { name: 'rows' } } }

  it.each([
    ['spec.model.hub.tokenSecretRef', { model: hub('rows') }],
    ['spec.model.fromRun.secretRef', { model: { fromRun: { name: 'sft', secretRef: { name: 'rows' } } } }],
    ['spec.model.fromRun.tokenSecretRef', { model: { fromRun: { name: 'sft', tokenSecretRef: { name: 'rows' } } } }],
    ['spec.data.instances.s3.secretRef', { data: { instances: { ...rows, format: 'SWEBench' } } }],
    ['spec.data.instances.hub.tokenSecretRef', { data: { instances: { ...hub('rows'), format: 'SWEBench' } } }],
    ['spec.data.files.hub.tokenSecretRef', { data: { files: { ...hub('rows'), format: 'Messages' } } }],
    ['spec.data.preferences.s3.secretRef', { method: 'DPO', data: { preferences: rows } }],
    ['spec.data.preferences.hub.tokenSecretRef', { method: 'DPO', data: { preferences: hub('rows') } }],
    ['spec.data.trajectories.s3.secretRef', { data: { trajectories: rows } }],
    ['spec.data.trajectories.hub.tokenSecretRef', { data: { trajectories: hub('rows') } }],
    ['spec.gate.evaluation.instances.s3.secretRef', { gate: { minResolvedRate: '0.3', evaluation: { instances: { ...rows, format: 'SWEBench' } } } }],
    ['spec.gate.evaluation.instances.hub.tokenSecretRef', { gate: { minResolvedRate: '0.3', evaluation: { instances: { ...hub('rows'), format: 'SWEBench' } } } }],
    ['spec.publish.hub.tokenSecretRef', { publish: hub('rows') }],
  ])('is asked for the right wherever a Secret can be named: %s', async (field, change) => {
    await expect(tryCreate('bob', aRunWith(change))).rejects.toThrow(`${field}: you may not get Secret "rows" in namespace "team-a".`)
  })

  it('is asked for the right to pull with it for a gate too', async () => {
    const evaluation = { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, images: { pullSecrets: ['models', 'rows'] } }
    await expect(tryCreate('bob', aRunWith({ gate: { minResolvedRate: '0.3', evaluation } }))).rejects.toThrow('spec.gate.evaluation.images.pullSecrets: you may not get all of the Secrets models, rows')
  })

  it.each([
    ['spec.instances.s3.secretRef: you may not get Secret "rows"', { instances: { ...rows, format: 'SWEBench' } }],
    ['spec.instances.hub.tokenSecretRef: you may not get Secret "rows"', { instances: { ...hub('rows'), format: 'SWEBench' } }],
    ['spec.predictions.s3.secretRef: you may not get Secret "rows"', { predictions: { s3: { uri: 's3://data/preds.json', secretRef: { name: 'rows' } } } }],
    ['spec.generation.model.s3.secretRef: you may not get Secret "rows"', { predictions: undefined, generation: { model: rows } }],
    ['spec.images.pullSecrets: you may not get all of the Secrets models, rows', { images: { pullSecrets: ['models', 'rows'] } }],
  ])('is asked for the right in an evaluation too: %s', async (says, change) => {
    await expect(tryCreate('bob', anEvaluationWith(change))).rejects.toThrow(says)
  })

  it.each([
    ['spec.generation.model.s3.secretRef', rows],
    ['spec.generation.model.hub.tokenSecretRef', hub('rows')],
    ['spec.generation.model.fromRun.secretRef', { fromRun: { name: 'sft', secretRef: { name: 'rows' } } }],
    ['spec.generation.model.fromRun.tokenSecretRef', { fromRun: { name: 'sft', tokenSecretRef: { name: 'rows' } } }],
    ['spec.generation.model.endpoint.apiKeySecretRef', { endpoint: { url: 'https://api.example.com/v1', model: 'm', apiKeySecretRef: { name: 'rows' } } }],
  ])('is asked for the right in a PreferenceGen too: %s', async (field, model) => {
    await expect(tryCreate('bob', aPreferenceGenWith(model))).rejects.toThrow(`${field}: you may not get Secret "rows" in namespace "team-a".`)
  })

  it.each([
    ['spec.generation.serving.modelCache.claimName', () => aPreferenceGenWith({ s3: { uri: 's3://swe/team-a/model' } }, { generation: { model: { s3: { uri: 's3://swe/team-a/model' } }, serving: { engine: 'Transformers', modelCache: { claimName: 'theirs' } } } })],
    ['spec.gate.evaluation.generation.serving.modelCache.claimName', () => aRunWith({ gate: { minResolvedRate: '0.3', evaluation: { instances: { configMap: { name: 'rows', key: 'rows.jsonl' }, format: 'SWEBench' }, generation: { serving: { engine: 'Transformers', modelCache: { claimName: 'theirs' } } } } } })],
  ])('is asked for the right to a volume wherever one can be named: %s', async (field, manifest) => {
    await expect(tryCreate('bob', manifest())).rejects.toThrow(`${field}: you may not get PersistentVolumeClaim "theirs" in namespace "team-a".`)
  })

  it.each([rows, hub('rows')])('is asked for the right in every evaluation that samples are compared with', async (source) => {
    const against = [{ ...hub('models'), format: 'SWEBench' }, { ...source, format: 'SWEBench' }]
    const says = 'spec.decontamination.against: you may not get all of the Secrets that it names in namespace "team-a".'
    await expect(tryCreate('bob', aPreferenceGenWith({ s3: { uri: 's3://swe/team-a/model' } }, { decontamination: { against } }))).rejects.toThrow(says)
    expect(await isAllowed('bob', aPreferenceGenWith({ s3: { uri: 's3://swe/team-a/model' } }, { decontamination: { against: against.slice(0, 1) } }))).toBe(true)
  })

  it('is accepted with that right', async () => {
    expect(await isAllowed('bob', anEvaluationWith({ images: { pullSecrets: ['models'] } }))).toBe(true)
    expect(await isAllowed('bob', aRun('run', 'models'))).toBe(true)
    expect(await tryCreate('bob', aRunWith({ model: hub('models') }))).toContain('created')
  })

  it('needs no such right to name none', async () => {
    expect(await isAllowed('alice', aRun('run'))).toBe(true)
  })

  it("does not stand in the way of others: who may not read it can suspend the run, and the operator can write the run's status", async () => {
    await kubectl(['create', '-f', '-'], aRun('admitted', 'models', 'models'))
    const suspend = ['-n', 'team-a', 'patch', 'trainingrun', 'admitted', '--type=merge', '-p', '{"spec":{"suspend":true}}']
    expect(await succeeds(plane.binaries.kubectl, ['--kubeconfig', plane.kubeconfigPath, ...suspend, '--as', OPERATOR])).toBe(true)
    expect(await kubectl(['-n', 'team-a', 'get', 'trainingrun', 'admitted', '-o', 'jsonpath={.spec.suspend}'])).toBe('true')
    expect(await kubectl([...suspend.slice(0, -1), '{"spec":{"suspend":false}}', '--as', 'alice'])).toContain('patched')
  })
})
