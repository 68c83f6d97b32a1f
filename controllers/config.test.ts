import { describe, expect, it } from 'vitest'

import { parseConfig, readConfig } from './config.ts'

const pod = { POD_NAME: 'swe-operator-1', POD_NAMESPACE: 'swe-operator-system', POD_UID: 'u' }
const given = {
  trainer: { image: 'trainer:1', gpuImage: 'trainer-gpu:1', imagePullPolicy: 'IfNotPresent' }, serving: { vllmImage: 'vllm:1', sglangImage: 'sglang:1' },
  harness: { image: 'harness:1', imagePullPolicy: 'IfNotPresent' },
  store: { endpoint: 'http://swe-operator-store.swe-operator-system.svc:7070', region: 'us-east-1', bucket: 'swe-operator', credentials: { kind: 'Embedded', secretName: 'swe-operator-store' } },
}
const parse = (config: unknown, environment: Record<string, string> = pod) => parseConfig(JSON.stringify(config), environment, 'config.json')

describe('the configuration', () => {
  it('is complete as the chart writes it', () => {
    const written = { ...given, logLevel: 'info', watchNamespaces: [], trainer: { ...given.trainer, imagePullSecrets: [] }, store: { ...given.store, pathStyle: true }, pools: [{ name: 'a100-40-gke', platform: 'GKE', gpu: 'A100-40', pricePerGPUHour: '2.93' }], currency: 'EUR' }
    expect(parse(written)).toMatchObject({
      pod: { name: 'swe-operator-1', namespace: 'swe-operator-system', uid: 'u' },
      artifactsHost: 'swe-operator-artifacts.swe-operator-system.svc',
      progressHost: 'swe-operator-progress.swe-operator-system.svc',
      endpoints: { host: '0.0.0.0', port: 8443, healthPort: 8080 },
      pools: [{ name: 'a100-40-gke', gpu: { resource: 'nvidia.com/gpu', memoryGi: 40, perNode: 16 }, pricePerGPUHour: '2.93' }],
      currency: 'EUR',
    })
  })

  it.each([
    ['a missing image', { ...given, trainer: { imagePullPolicy: 'Always' } }, 'trainer.image'],
    ['an endpoint that is no URL', { ...given, store: { ...given.store, endpoint: 'minio:9000' } }, 'store.endpoint'],
    ['unknown credentials', { ...given, store: { ...given.store, credentials: { kind: 'Vault' } } }, 'store.credentials.kind'],
    ['two namespaces', { ...given, watchNamespaces: ['a', 'b'] }, 'watchNamespaces: the operator watches all namespaces or one'],
    ['an unknown key', { ...given, logLevle: 'debug' }, 'logLevle'],
    ['MIG slices', { ...given, pools: [{ name: 'slices', gpu: { resource: 'nvidia.com/mig-1g.5gb', product: 'A100', memoryGi: 5 } }] }, 'pools.0.gpu.resource: nvidia.com/mig-1g.5gb is a MIG slice'],
    ['a currency in words', { ...given, currency: 'Euro' }, 'currency: must be three capital letters, such as USD'],
    ['an unknown level', { ...given, logLevel: 'loud' }, 'logLevel'],
  ])('with %s is refused by the name of the field', (_, config, field) => {
    expect(() => parse(config)).toThrow(field)
  })

  it('needs to know which pod it serves', () => {
    expect(() => parse(given, { POD_NAME: 'x' })).toThrow(/In the environment, POD_NAMESPACE: .*; POD_UID: /)
  })

  it('that is missing or no JSON says where it was looked for', async () => {
    await expect(readConfig({ SWE_OPERATOR_CONFIG: '/nowhere/config.json' })).rejects.toThrow('The configuration /nowhere/config.json cannot be read')
    expect(() => parseConfig('{', pod, 'config.json')).toThrow('The configuration config.json is not JSON.')
  })
})
