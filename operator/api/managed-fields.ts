const BEGIN = '"managedFields":['
const BEHIND = ']},"spec":{'

/**
 * The text of a pod, or of an event about one, without its managedFields, which are half of it and nobody reads: parsing
 * them takes as long as all the rest. The API server writes pods in the order of their Go type, where these are the last
 * of the metadata and the specification follows; any other text is left as it is.
 */
export function withoutManagedFields(text: string): string {
  const begin = text.indexOf(BEGIN)
  if (begin < 0) return text
  const end = text.indexOf(BEHIND, begin) // within a string its quotes would be escaped, and field sets have no such key
  return end < 0 ? text : text.slice(0, begin + BEGIN.length) + text.slice(end)
}
