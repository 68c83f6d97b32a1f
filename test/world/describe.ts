import type { Place } from './site.ts'

export type Kind = 'trainingrun' | 'preferencegen' | 'swebencheval'

/** What a person would look at when a resource does not do what it should. */
export async function describe({ site, namespace }: Place, kind: Kind, name: string): Promise<string> {
  const shown = await Promise.allSettled([
    site.kube.run(['get', kind, name, '-n', namespace, '-o', 'yaml', '--show-managed-fields=false']),
    site.kube.run(['get', 'jobs,pods', '-n', namespace, '-o', 'wide']),
    site.kube.run(['events', '-n', namespace]),
    site.kube.run(['logs', '-n', 'swe-operator-system', 'deployment/swe-operator', '--tail=30']),
  ])
  return shown.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason))).join('\n')
}
