import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rawPublicKey, readEd25519, signEd25519, verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, signManifest, type Manifest } from '@quorate/authority/manifest'

/** A cluster's secrets in one place: what no process ever has, and every test needs. */
export type Cluster = {
  readonly manifest: Manifest
  /** As it stands in a manifest file. */
  readonly encoded: Uint8Array
  /** Identity keys in index order. */
  readonly identities: readonly KeyObject[]
}
export type Numbers = { readonly n: number; readonly t: number; readonly q: number }

export const usualNumbers: Numbers = { n: 4, t: 2, q: 3 }

/** @param tls SHA-256 of each link certificate's public key; random where no link is dialled */
export function makeCluster(
  { n, t, q }: Numbers = usualNumbers,
  tls: readonly Uint8Array[] = [],
): Cluster {
  const identities = Array.from({ length: n }, () => generateKeyPairSync('ed25519').privateKey)
  const operators = identities.map(() => generateKeyPairSync('ed25519').privateKey)
  const encoded = signManifest(
    {
      epoch: 1,
      previous: undefined,
      threshold: t,
      quorum: q,
      signers: identities.map((identity, i) => ({
        id: `signer-${i + 1}`,
        identity: rawPublicKey(identity),
        operator: rawPublicKey(entry(operators, i)),
        tls: tls[i] ?? new Uint8Array(randomBytes(32)),
      })),
      networks: [],
    },
    (index, message) => signEd25519(entry(operators, index - 1), message),
  )
  return { manifest: readManifest(encoded, verifyEd25519), encoded, identities }
}

export function signAs({ identities }: Cluster, index: number, message: Uint8Array): Uint8Array {
  return signEd25519(entry(identities, index - 1), message)
}

export function entry<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined) throw new RangeError(`no entry ${index}`)
  return found
}

/** The cluster that `provision` has written, with the keys that its processes will read. */
export function clusterIn(files: Files): Cluster {
  const encoded = new Uint8Array(readFileSync(files.manifestFile))
  return {
    manifest: readManifest(encoded, verifyEd25519),
    encoded,
    identities: files.signers.map(({ identityFile }) =>
      readEd25519(readFileSync(identityFile, 'utf8')),
    ),
  }
}
type Files = {
  readonly manifestFile: string
  readonly signers: readonly { readonly identityFile: string }[]
}
