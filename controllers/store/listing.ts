/** One object as a listing shows it; the key is relative to the bucket. */
export type StoredObject = Readonly<{ key: string; sizeBytes: number; lastModifiedTime: string }>

export type Listing = Readonly<{ objects: readonly StoredObject[]; continuation?: string }>

/** Reads a ListObjectsV2 answer. The grammar is flat and the server's own, so three patterns do. */
export function parseListing(xml: string): Listing {
  const objects = [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, content = '']) => ({
    key: element(content, 'Key'),
    sizeBytes: Number(element(content, 'Size')),
    lastModifiedTime: element(content, 'LastModified'),
  }))
  const more = element(xml, 'IsTruncated') === 'true' ? element(xml, 'NextContinuationToken') : ''
  return more === '' ? { objects } : { objects, continuation: more }
}

/** The text of the first element of that name; empty if there is none. */
export function element(xml: string, name: string): string {
  const [, content = ''] = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml) ?? []
  return content.replaceAll(/&(#x[0-9a-f]+|#\d+|amp|lt|gt|quot|apos);/gi, (_, entity: string) => character(entity))
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function character(entity: string): string {
  if (!entity.startsWith('#')) return NAMED[entity.toLowerCase()] ?? ''
  const code = /^#x/i.test(entity) ? Number.parseInt(entity.slice(2), 16) : Number(entity.slice(1))
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
}
