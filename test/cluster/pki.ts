import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from './exec.ts'

const VALID_DAYS = '3650'

/** A certificate to issue. `organizations` are the groups Kubernetes sees. */
export type Identity = Readonly<{
  commonName: string
  organizations?: readonly string[]
  /** OpenSSL's notation: `IP:127.0.0.1`, `DNS:localhost`. */
  alternativeNames?: readonly string[]
}>

export type KeyPair = Readonly<{ certPath: string; keyPath: string }>

/** The cluster's certificate authority and service-account key, in one directory. */
export type Pki = Readonly<{
  caPath: string
  serviceAccountKeyPath: string
  serviceAccountPublicPath: string
  /** Issues a certificate for servers and clients, once per file name. */
  issue(file: string, identity: Identity): Promise<KeyPair>
}>

/** Opens the PKI in `directory`; makes it when there is none. Half of one, left by a kill, is made anew. */
export async function openPki(directory: string): Promise<Pki> {
  if (!existsSync(directory)) await createPki(directory)
  return {
    caPath: join(directory, 'ca.crt'),
    serviceAccountKeyPath: join(directory, 'sa.key'),
    serviceAccountPublicPath: join(directory, 'sa.pub'),
    issue: (file, identity) => issue(directory, file, identity),
  }
}

async function createPki(directory: string): Promise<void> {
  const temporary = `${directory}.tmp`
  await rm(temporary, { recursive: true, force: true })
  await mkdir(temporary, { recursive: true, mode: 0o700 })
  await openssl(temporary, 'ca', { commonName: 'swe-operator-local-ca' }, {
    extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign', 'subjectKeyIdentifier=hash'],
  })
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await writeFile(join(temporary, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  await writeFile(join(temporary, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  await rename(temporary, directory)
}

async function issue(directory: string, file: string, identity: Identity): Promise<KeyPair> {
  const pair = { certPath: join(directory, `${file}.crt`), keyPath: join(directory, `${file}.key`) }
  if (existsSync(pair.certPath)) return pair
  const names = identity.alternativeNames ?? [`DNS:${file}`]
  await openssl(directory, file, identity, {
    extensions: [
      'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth,clientAuth',
      'authorityKeyIdentifier=keyid', `subjectAltName=${names.join(',')}`,
    ],
    authority: ['-CA', join(directory, 'ca.crt'), '-CAkey', join(directory, 'ca.key')],
  })
  return pair
}

type Signing = Readonly<{ extensions: readonly string[]; authority?: readonly string[] }>

/** The certificate appears last and whole: its presence says that the key is there too. */
async function openssl(directory: string, file: string, identity: Identity, { extensions, authority = [] }: Signing): Promise<void> {
  const path = (extension: string) => join(directory, `${file}.${extension}`)
  const subject = [...(identity.organizations ?? []).map((name, at) => `${at}.O = ${name}`), `CN = ${identity.commonName}`]
  await writeFile(path('cnf'), [
    '[req]', 'prompt = no', 'distinguished_name = subject', 'x509_extensions = extensions',
    '[subject]', ...subject, '[extensions]', ...extensions, '',
  ].join('\n'))
  await run('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-sha256', '-days', VALID_DAYS,
    '-config', path('cnf'), '-keyout', path('key'), '-out', path('tmp'), ...authority,
  ])
  await rm(path('cnf'))
  await rename(path('tmp'), path('crt'))
}

/** Writes a kubeconfig that carries its certificates, so that it can be copied elsewhere. */
export async function writeKubeconfig(path: string, server: string, caPath: string, client: KeyPair): Promise<void> {
  const pem = { ca: await readFile(caPath), cert: await readFile(client.certPath), key: await readFile(client.keyPath) }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(`${path}.tmp`, kubeconfig(server, pem), { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

/** A kubeconfig with one cluster, one user and one context, as JSON, which every client reads as YAML. */
export function kubeconfig(server: string, pem: Readonly<{ ca: Buffer; cert: Buffer; key: Buffer }>): string {
  const base64 = (data: Buffer) => data.toString('base64')
  return `${JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority-data': base64(pem.ca) } }],
    users: [{ name: 'local', user: { 'client-certificate-data': base64(pem.cert), 'client-key-data': base64(pem.key) } }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'local' } }],
    'current-context': 'local',
  }, undefined, 2)}\n`
}
