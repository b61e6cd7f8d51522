import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { rawPublicKey, signEd25519, verifyEd25519 } from '@quorate/authority/ed25519'
import { type OwnNetwork, readManifest, signManifest } from '@quorate/authority/manifest'
import { manifestHashOf } from '@quorate/client/manifest'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { type Certificate, makeAuthority } from './certificates.ts'
import { writePrivateFile } from './write-file.ts'

/** Where everything is that was made once: keys, certificates, the manifest. */
export type Cluster = {
  readonly manifestFile: string
  readonly manifestHash: string
  readonly caFile: string
  readonly server: {
    readonly dir: string
    readonly tlsKeyFile: string
    readonly tlsCertFile: string
    readonly tokenKeyFile: string
    readonly setupTokenFile: string
  }
  readonly signers: readonly SignerFolder[]
  /** Of the operators' own. */
  readonly networks: readonly OwnNetwork[]
}

export type SignerFolder = {
  readonly id: string
  readonly dir: string
  readonly storeFile: string
  readonly kekFile: string
  readonly identityFile: string
  readonly tlsKeyFile: string
  readonly tlsCertFile: string
}

/** Four signers, of which any two sign and any three decide: safe and live with one gone bad. */
const signerIds = ['signer-1', 'signer-2', 'signer-3', 'signer-4'] as const
const threshold = 2
const quorum = 3

/**
 * The cluster in `dir`, made on first use. All of it appears at once: a start cut short leaves
 * nothing that the next one could mistake for a cluster.
 *
 * @param networks of the operators' own, for the manifest that is made; none if nothing is said of them
 * @throws Error where the manifest has others: what decides is fixed for the life of a cluster
 */
export async function provision(
  dir: string,
  now: Date,
  networks?: readonly OwnNetwork[],
): Promise<Cluster> {
  if (!existsSync(dir)) {
    const draft = `${dir}.new`
    rmSync(draft, { recursive: true, force: true })
    await makeCluster(draft, now, networks ?? [])
    renameSync(draft, dir)
  }
  const cluster = clusterIn(dir)
  if (networks !== undefined) checkNetworks(cluster, networks)
  return cluster
}

function checkNetworks({ manifestFile }: Cluster, wanted: readonly OwnNetwork[]): void {
  const { networks } = readManifest(readFileSync(manifestFile), verifyEd25519)
  if (isDeepStrictEqual(networks, wanted)) return
  const kept = networks.map(({ id, chainId }) => `${id} (chain ${chainId})`).join(', ') || 'none'
  throw new Error(
    `The cluster was made with other networks of its own, and keeps those: ${kept}. Networks are ` +
      'fixed by the first start; nodes of theirs are taken away in QUORATE_NODES_FILE.',
  )
}

function clusterIn(dir: string): Cluster {
  const manifestFile = join(dir, 'manifest')
  const server = join(dir, 'server')
  const { hash, signers, networks } = readManifest(readFileSync(manifestFile), verifyEd25519)
  return {
    manifestFile,
    manifestHash: toHex(hash),
    caFile: join(dir, 'link-authority.pem'),
    server: {
      dir: server,
      ...tlsFiles(server),
      tokenKeyFile: join(server, 'token-key.pem'),
      setupTokenFile: join(server, 'setup-token'),
    },
    signers: signers.map(({ id }) => signerFolder(dir, id)),
    networks,
  }
}

function signerFolder(clusterDir: string, id: string): SignerFolder {
  const dir = join(clusterDir, 'signers', id)
  return {
    id,
    dir,
    storeFile: join(dir, 'store.sqlite'),
    kekFile: join(dir, 'key-encryption-key'),
    identityFile: join(dir, 'identity.pem'),
    ...tlsFiles(dir),
  }
}

const tlsFiles = (dir: string) => ({
  tlsKeyFile: join(dir, 'link-key.pem'),
  tlsCertFile: join(dir, 'link-certificate.pem'),
})

async function makeCluster(dir: string, now: Date, networks: readonly OwnNetwork[]): Promise<void> {
  const authority = await makeAuthority('quorate', now)
  for (const folder of ['server', 'operators', ...signerIds.map((id) => join('signers', id))])
    mkdirSync(join(dir, folder), { recursive: true, mode: 0o700 })
  writePrivateFile(join(dir, 'link-authority.pem'), authority.certificatePem)

  const server = join(dir, 'server')
  writeCertificate(server, await authority.issue('server', 'server'))
  writeKey(join(server, 'token-key.pem'))
  writePrivateFile(join(server, 'setup-token'), randomBytes(32).toString('hex'))

  const operators = signerIds.map((id) => writeKey(join(dir, 'operators', `${id}.pem`)))
  const signers = await Promise.all(
    signerIds.map(async (id, i) => ({
      ...(await makeSigner(dir, id, await authority.issue(id, 'client'))),
      operator: rawPublicKey(at(operators, i)),
    })),
  )
  const body = {
    epoch: 1,
    previous: undefined,
    threshold,
    quorum,
    signers,
    networks,
  }
  const sign = (index: number, message: Uint8Array) =>
    signEd25519(at(operators, index - 1), message)
  const manifest = signManifest(body, sign)
  // Refuses what no process would start with.
  manifestHashOf(manifest)
  writePrivateFile(join(dir, 'manifest'), manifest)
}

async function makeSigner(clusterDir: string, id: string, certificate: Certificate) {
  const { dir, storeFile, kekFile, identityFile } = signerFolder(clusterDir, id)
  writeCertificate(dir, certificate)
  writePrivateFile(kekFile, randomBytes(32))
  // This one has never run: a signer makes a store of its own for no other (`signer/store/mark.ts`).
  writePrivateFile(`${storeFile}.mark`, '0\n')
  const identity = rawPublicKey(writeKey(identityFile))
  return { id, identity, tls: sha256(certificate.publicKey) }
}

function writeCertificate(dir: string, { privateKeyPem, certificatePem }: Certificate): void {
  const { tlsKeyFile, tlsCertFile } = tlsFiles(dir)
  writePrivateFile(tlsKeyFile, privateKeyPem)
  writePrivateFile(tlsCertFile, certificatePem)
}

function writeKey(file: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519')
  writePrivateFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  return privateKey
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(`There is no entry ${index}.`)
  return found
}
