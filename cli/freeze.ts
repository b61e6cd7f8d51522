import { createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf } from '@quorate/authority/credential'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, type Manifest } from '@quorate/authority/manifest'
import {
  acknowledgement,
  encodeSigned,
  encodeStatement,
  statementChallenge,
  type Statement,
} from '@quorate/authority/statement'
import { fromHex, toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf } from '@quorate/core/id'

/** Four times as long as a signer lets a statement lie. */
const waitMs = 20_000
const lookMs = 200

const kinds = {
  organization: 'freezeOrganization',
  user: 'freezeUser',
  key: 'freezeKey',
} as const satisfies Record<string, Statement['kind']>

const usage =
  'usage: quorate freeze <mailbox folder> <manifest> <credential, PEM> <genesis> ' +
  '<author, or founder> organization | user <id> | key <id>   (ids are 64 hex digits)'

/**
 * `quorate freeze`: signs with a Key credential that something stands still, and lays it where the
 * signers look by themselves. Needs no server, and believes an acknowledgement by its signature.
 *
 * @returns the exit code: 1 unless enough signers have taken it in that no quorum is without them
 */
export async function freezeCommand(
  args: readonly string[],
  print: (line: string) => void,
  patienceMs = waitMs,
): Promise<number> {
  const asked = askedIn(args)
  if (asked === undefined) {
    print(usage)
    return 2
  }
  const { folder, statement, key } = asked
  const manifest = readManifest(new Uint8Array(readFileSync(asked.manifestFile)), verifyEd25519)
  const encoded = encodeStatement(statement)
  const hash = sha256(encoded)
  drop(join(folder, `${toHex(hash)}.statement`), signedBy(key, encoded))
  const deadline = Date.now() + patienceMs
  let known = acknowledgedIn(folder, manifest, hash)
  while (known.length < manifest.signers.length && Date.now() < deadline) {
    await sleep(lookMs)
    known = acknowledgedIn(folder, manifest, hash)
  }
  print(`statement ${toHex(hash)}`)
  for (const id of known) print(`acknowledged by ${id}`)
  print(`${known.length} of ${manifest.signers.length} signers; ${manifest.quorum} are needed`)
  return known.length >= manifest.quorum ? 0 : 1
}

type Asked = {
  readonly folder: string
  readonly manifestFile: string
  readonly key: KeyObject
  readonly statement: Statement
}

function askedIn(args: readonly string[]): Asked | undefined {
  const [folder, manifestFile, keyFile, genesisHex, authorHex, what, targetHex] = args
  if (folder === undefined || manifestFile === undefined || keyFile === undefined) return undefined
  const genesis = idIn(genesisHex)
  const kind = what !== undefined && isKind(what) ? kinds[what] : undefined
  if (genesis === undefined || kind === undefined) return undefined
  const organization = idOf(genesis, 'organization')
  const user = authorHex === 'founder' ? idOf(genesis, 'user') : idIn(authorHex)
  const target = kind === 'freezeOrganization' ? organization : idIn(targetHex)
  if (user === undefined || target === undefined) return undefined
  const nonce = new Uint8Array(randomBytes(32))
  const key = createPrivateKey(readFileSync(keyFile))
  const issuedAt = Date.now()
  return {
    ...{ folder, manifestFile, key },
    statement: { organization, user, kind, target, nonce, issuedAt },
  }
}

function isKind(what: string): what is keyof typeof kinds {
  return Object.hasOwn(kinds, what)
}

function idIn(text: string | undefined): Uint8Array | undefined {
  return text !== undefined && /^[0-9a-f]{64}$/.test(text) ? fromHex(text) : undefined
}

function signedBy(key: KeyObject, encoded: Uint8Array): Uint8Array {
  const clientData = clientDataFor(statementChallenge(encoded))
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return encodeSigned(encoded, {
    fingerprint: fingerprintOf(new Uint8Array(spki)),
    clientData,
    signature: new Uint8Array(sign(algorithm, clientData, key)),
    authenticatorData: undefined,
  })
}

/** Under its name only when it is whole: a signer may look at any moment. */
function drop(file: string, bytes: Uint8Array): void {
  writeFileSync(`${file}.draft`, bytes)
  renameSync(`${file}.draft`, file)
}

/** Anybody may write into a mailbox: what counts is the signer's own signature. */
function acknowledgedIn(folder: string, manifest: Manifest, hash: Uint8Array): readonly string[] {
  const words = acknowledgement(manifest.hash, hash)
  const names = new Set(readdirSync(folder))
  return manifest.signers
    .filter(({ id, identity }) => {
      const name = `${toHex(hash)}.${id}.ack`
      if (!names.has(name)) return false
      const text = readFileSync(join(folder, name), 'utf8')
      return /^[0-9a-f]{128}$/.test(text) && verifyEd25519(identity, words, fromHex(text))
    })
    .map(({ id }) => id)
}
