import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { counter } from './instruments.ts'
import { createHealthServer, type HealthServer } from './server.ts'

let server: HealthServer | undefined
afterEach(() => server?.stop())

async function ask(path: string, complaint?: string): Promise<[number, string]> {
  const registry = new Registry()
  counter(registry, { name: 'ships_total', help: 'Ships.', by: [] }).inc(3)
  const check = { name: 'watches', complaint: () => complaint }
  server = createHealthServer({ host: '127.0.0.1', port: 0, registry, health: [check], readiness: [check, { name: 'other', complaint: () => undefined }] })
  await server.start()
  const response = await fetch(`http://127.0.0.1:${server.port()}${path}`)
  return [response.status, await response.text()]
}

describe('the health server', () => {
  it.each(['/healthz', '/readyz'])('says ok at %s while nobody complains', async (path) => {
    expect(await ask(path)).toEqual([200, 'ok\n'])
  })

  it.each(['/healthz', '/readyz'])('names the complaint at %s', async (path) => {
    expect(await ask(path, 'silent for 400 s')).toEqual([503, 'watches: silent for 400 s\n'])
  })

  it('shows the metrics', async () => {
    const [code, text] = await ask('/metrics')
    expect([code, text.includes('ships_total 3')]).toEqual([200, true])
  })
})
