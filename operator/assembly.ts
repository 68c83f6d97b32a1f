import { kindKey } from './api/object.ts'
import { createClient } from './api/resource.ts'
import { createTransport, type Transport } from './api/transport.ts'
import { createCache, type Cache, type CacheEvent } from './cache/cache.ts'
import { ConsistencyGate } from './cache/gate.ts'
import type { Controller } from './control/controller.ts'
import { createExecutor } from './control/execute.ts'
import { kindsToCache, writableKinds } from './control/kinds.ts'
import { createReconciler } from './control/reconcile.ts'
import { Runner } from './control/runner.ts'
import { Election } from './lease/election.ts'
import { createFence } from './lease/fence.ts'
import { EventRecorder } from './observe/events.ts'
import type { Log } from './observe/log.ts'
import { createMetrics, type Metrics } from './observe/metrics.ts'
import { createHealthServer, type HealthServer } from './observe/server.ts'
import type { ManagerOptions, Runtime } from './runtime.ts'

const MAX_STALE_S = 300 // several watch time-outs of silence: "healthy but not functioning" must not last

/** Everything a manager starts and stops. */
export type Parts = Readonly<{
  runtime: Runtime
  transport: Transport
  cache: Cache
  runners: readonly Runner[]
  recorder: EventRecorder
  election: Election
  server: HealthServer
}>

/** What the parts need to know of the life they are part of. */
export type Life = Readonly<{ startedLeading: () => void; lost: () => void; isServing: () => boolean }>

/** Creates the parts of one process and connects them; starts nothing. */
export function assemble(options: ManagerOptions, life: Life): Parts {
  const { world, log, pod, leaseName } = options
  const fence = createFence(world)
  const metrics = createMetrics({ leaseName, isLeading: () => election.isLeading(), staleSeconds: () => cache.staleSeconds() })
  const gate = new ConsistencyGate(world, (type) => {
    metrics.gateGaveUp(type)
    log.warn({ kind: kindKey(type) }, 'the cache did not show our own writes within a minute; going on without')
  })
  const { transport, client, ungated, unfenced } = connectClients(options, { gate, metrics, mayWrite: fence.mayWrite })
  const kinds = kindsToCache(options.kinds ?? [], options.controllers)
  const cache = createCache({ client: unfenced, world, gate, kinds, report: reporter(metrics, log) })
  const recorder = new EventRecorder({
    client: unfenced, // events tell of what was done; they may still be written after the lease is given back
    world,
    log,
    reporter: { controller: options.fieldManager, instance: pod.name },
    dropped: metrics.eventDropped,
  })
  const runners = options.controllers.map((controller) => createRunner(options, controller, { client, cache, gate, metrics, recorder }))
  const election = new Election({
    client: unfenced,
    world,
    log,
    fence,
    lease: { namespace: pod.namespace, name: leaseName },
    identity: `${pod.name}_${pod.uid}`,
    ...life,
  })
  const server = createServer(options, life, { cache, election, metrics })
  const runtime: Runtime = {
    client, ungated, unfenced, cache, world, log,
    metrics: metrics.registry,
    isLeading: () => election.isLeading(),
    enqueue: (name, key, how) => runnerOf(runners, name).enqueue(key, how),
  }
  return { runtime, transport, cache, runners, recorder, election, server }
}

type Guards = Readonly<{ gate: ConsistencyGate; metrics: Metrics; mayWrite: () => void }>

function connectClients({ connection, world, fieldManager, recordCall }: ManagerOptions, { gate, metrics, mayWrite }: Guards) {
  const record = recordCall === undefined ? {} : { record: recordCall }
  const transport = createTransport({ connection, world, userAgent: fieldManager, observe: metrics.request, ...record })
  const unfenced = createClient(transport, { world }) // no pass plans on what it writes, so no pass has to wait for it
  const ungated = createClient(transport, { world, mayWrite })
  return { transport, unfenced, ungated, client: createClient(transport, { world, onWrite: gate.wrote, mayWrite }) }
}

type Shared = Readonly<{ client: Runtime['client']; cache: Cache; gate: ConsistencyGate; metrics: Metrics; recorder: EventRecorder }>

function createRunner({ world, log, fieldManager }: ManagerOptions, controller: Controller, shared: Shared): Runner {
  const { client, cache, gate, metrics, recorder } = shared
  const execute = createExecutor({
    client,
    cache,
    types: writableKinds(controller),
    fieldManager,
    record: (regarding, event) => recorder.record(regarding, event),
    world,
  })
  const reconcile = createReconciler({ controller, cache, gate, execute, world })
  return new Runner({ controller, cache, reconcile, world, log, observer: metrics.controller(controller.name) })
}

type Judged = Readonly<{ cache: Cache; election: Election; metrics: Metrics }>

function createServer({ http }: ManagerOptions, life: Life, { cache, election, metrics }: Judged): HealthServer {
  const lease = { name: 'lease', complaint: () => election.complaint() }
  const watches = { name: 'watches', complaint: () => staleComplaint(cache) }
  const caches = { name: 'caches', complaint: () => (cache.synced() ? undefined : 'not all kinds are listed yet') }
  const services = { name: 'services', complaint: () => (life.isServing() ? undefined : 'not started yet') }
  return createHealthServer({ ...http, registry: metrics.registry, health: [lease, watches], readiness: [caches, services] })
}

function staleComplaint(cache: Cache): string | undefined {
  const seconds = cache.staleSeconds()
  return seconds <= MAX_STALE_S ? undefined : `the API server has not proved the cache current for ${Math.round(seconds)} s`
}

function reporter(metrics: Metrics, log: Log): (event: CacheEvent) => void {
  return (event) => {
    metrics.cache(event)
    const { error, ...fields } = event
    if (event.name === 'HandlerFailed') log.error({ ...fields, err: error }, 'a change could not be passed on')
    else if (error !== undefined) log.warn({ ...fields, err: error }, 'list or watch failed; trying again')
    else log.debug(fields, 'list or watch')
  }
}

function runnerOf(runners: readonly Runner[], name: string): Runner {
  const found = runners.find((runner) => runner.name === name)
  if (!found) throw new Error(`there is no controller ${name}; there are ${runners.map((runner) => runner.name).join(', ')}`)
  return found
}
