// What the API server's audit log tells of a drain: it costs the same whoever is measured, and nobody measures himself.
import type { AuditEvent } from '../world/audit.ts'

const WRITES = new Set(['create', 'update', 'patch', 'delete'])

/** How a drain went, seen from the API server. */
export type Drained = Readonly<{
  /** From the first request to the last answer that belongs to it. */
  seconds: number
  podsCreated: number
  /** Pods that were created although a pod of that name had been there before. */
  podsTwice: number
  podsRemoved: number
  /** Of every kind, answered or refused. */
  writes: number
  statusWrites: number
}>

/** What `user` did from `from` on until the last pod was removed and the last row recorded. */
export function drained(calls: readonly AuditEvent[], user: string, from: Date): Drained {
  const own = calls.filter((call) => call.user.username === user && new Date(call.requestReceivedTimestamp) >= from)
  const work = own.filter((call) => isDone(call, 'delete', 'pods') || (isDone(call, 'patch', 'configmaps') && (call.objectRef?.name ?? '').includes('-rows-')))
  const untilMs = Math.max(...work.map((call) => Date.parse(call.stageTimestamp)))
  const writes = own.filter((call) => WRITES.has(call.verb) && Date.parse(call.requestReceivedTimestamp) <= untilMs)
  const created = writes.filter((call) => isDone(call, 'create', 'pods')).map((call) => call.objectRef?.name)
  return {
    seconds: (untilMs - from.getTime()) / 1000,
    podsCreated: created.length,
    podsTwice: created.length - new Set(created).size,
    podsRemoved: writes.filter((call) => isDone(call, 'delete', 'pods')).length,
    writes: writes.length,
    statusWrites: writes.filter(({ objectRef }) => objectRef?.resource === 'swebenchevals' && objectRef.subresource === 'status').length,
  }
}

export function isDone({ verb, objectRef, responseStatus }: AuditEvent, wanted: string, resource: string): boolean {
  return verb === wanted && objectRef?.resource === resource && objectRef.subresource === undefined && (responseStatus?.code ?? 500) < 300
}

/** When the evaluation of this name was let go. */
export function releasedAt(calls: readonly AuditEvent[], administrator: string, evaluation: string): Date {
  const release = calls.find((call) => call.user.username === administrator && isDone(call, 'patch', 'swebenchevals') && call.objectRef?.name === evaluation)
  if (release === undefined) throw new Error(`the audit log does not show that ${evaluation} was released`)
  return new Date(release.requestReceivedTimestamp)
}

/** When a user first asked for a pod, from `from` on. */
export function firstCreateAfter(calls: readonly AuditEvent[], user: string, from: Date): Date {
  const first = calls.filter((call) => call.user.username === user && isDone(call, 'create', 'pods')).map((call) => Date.parse(call.requestReceivedTimestamp))
  return new Date(Math.min(...first.filter((ms) => ms >= from.getTime())))
}

/**
 * From when the API server has stored the end of a pod, and tells of it, until it is asked for the next one, in the order
 * of both: each end makes room for one pod.
 */
export function reactionsMs(calls: readonly AuditEvent[], { ends, reacts }: Readonly<{ ends: string; reacts: string }>): readonly number[] {
  const inOrder = (times: readonly string[]): readonly number[] => times.map(millisecondsOf).sort((one, other) => one - other)
  const isEnd = ({ user, verb, objectRef }: AuditEvent): boolean => user.username === ends && verb === 'patch' && objectRef?.resource === 'pods' && objectRef.subresource === 'status'
  const ended = inOrder(calls.filter(isEnd).map((call) => call.stageTimestamp))
  const created = inOrder(calls.filter((call) => call.user.username === reacts && isDone(call, 'create', 'pods')).map((call) => call.requestReceivedTimestamp))
  return ended.flatMap((ms, index) => (created[index] === undefined ? [] : [created[index] - ms]))
}

/** `Date` knows no microseconds. */
function millisecondsOf(timestamp: string): number {
  return Date.parse(`${timestamp.slice(0, 19)}Z`) + Number(`0${timestamp.slice(19, -1)}`) * 1000
}
