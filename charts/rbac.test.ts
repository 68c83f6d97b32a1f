import { describe, expect, it } from 'vitest'
import type { RbacRule } from '../controllers/shared/permissions.ts'
import { rolesFrom } from './rbac.ts'

const inEveryNamespace = (resources: string[], verbs: string[], apiGroup = ''): RbacRule => ({ apiGroups: [apiGroup], resources, verbs, scope: 'Cluster' })
const atHome = (rule: Omit<RbacRule, 'scope' | 'apiGroups'>): RbacRule => ({ apiGroups: [''], scope: 'OwnNamespace', ...rule })

describe('the roles made from what the code declares', () => {
  it('put each rule where it is needed', () => {
    const roles = rolesFrom([
      inEveryNamespace(['pods'], ['get']),
      inEveryNamespace(['tokenreviews'], ['create'], 'authentication.k8s.io'),
      atHome({ resources: ['secrets'], resourceNames: ['swe-operator-tls'], verbs: ['get'] }),
    ])
    expect(roles).toEqual({
      clusterScoped: [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }],
      watched: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
      own: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['swe-operator-tls'], verbs: ['get'] }],
    })
  })

  it('are the same whatever the order of the declarations', () => {
    const rules = [inEveryNamespace(['pods', 'configmaps'], ['watch', 'get']), inEveryNamespace(['jobs'], ['get'], 'batch'), inEveryNamespace(['pods'], ['list'])]
    expect(rolesFrom(rules.toReversed())).toEqual(rolesFrom(rules))
    expect(rolesFrom(rules).watched).toEqual([
      { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'watch'] },
      { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
    ])
  })

  it('join resources that need the same verbs', () => {
    expect(rolesFrom([inEveryNamespace(['pods'], ['get']), inEveryNamespace(['configmaps'], ['get'])]).watched).toEqual([
      { apiGroups: [''], resources: ['configmaps', 'pods'], verbs: ['get'] },
    ])
  })
})

describe('a declaration that is too broad', () => {
  it.each([
    ['every resource', inEveryNamespace(['*'], ['get'])],
    ['every verb', inEveryNamespace(['pods'], ['*'])],
    ['every group', inEveryNamespace(['pods'], ['get'], '*')],
    ['running commands in pods', inEveryNamespace(['pods/exec'], ['create'])],
    ['making tokens', inEveryNamespace(['serviceaccounts/token'], ['create'])],
    ['acting as somebody else', inEveryNamespace(['users'], ['impersonate'])],
    ["tenants' Secrets", inEveryNamespace(['secrets'], ['get'])],
    ['a list of the Secrets beside the operator', atHome({ resources: ['secrets'], verbs: ['list'] })],
  ])('is refused: %s', (_, rule) => {
    expect(() => rolesFrom([rule])).toThrow(/must never hold|Only the operator's own Secrets/)
  })

  it('is refused when it mixes resources with and without a namespace', () => {
    expect(() => rolesFrom([inEveryNamespace(['nodes', 'pods'], ['get'])])).toThrow('need a rule of their own')
  })
})
