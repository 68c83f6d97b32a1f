/** RFC 3339 in whole seconds, as metav1.Time is stored: finer times would come back changed and look like a difference. */
export function toSeconds(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}

/** RFC 3339 with six decimals, as metav1.MicroTime of leases and events demands. */
export function toMicroTime(time: Date): string {
  return `${time.toISOString().slice(0, 23)}000Z`
}
