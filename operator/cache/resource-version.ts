const DECIMAL = /^(0|[1-9][0-9]*)$/

/** Whether two resource versions can be compared: plain decimal integers can, since Kubernetes 1.35 officially. */
export function areComparable(a: string, b: string): boolean {
  return DECIMAL.test(a) && DECIMAL.test(b)
}

/** Whether `a` is older than `b`; false where that cannot be known. As text, because numbers lose digits past 2^53. */
export function isOlder(a: string, b: string): boolean {
  if (!areComparable(a, b)) return false
  return a.length === b.length ? a < b : a.length < b.length
}
