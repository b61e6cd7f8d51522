import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf, type Assertion } from '@quorate/authority/credential'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, type Manifest } from '@quorate/authority/manifest'
import {
  acknowledgement,
  encodeSigned,
  encodeStatement,
  statementChallenge,
} from '@quorate/authority/statement'
import { fromBase64url, fromHex, fromUtf8, toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { isObject, parseJson } from '@quorate/core/json'
import {
  acknowledgementName,
  MailboxFault,
  openMailbox,
  statementName,
  type Mailbox,
} from '@quorate/signer/mailbox/mailbox'
import { freezeUsage, readFreeze, Unusable, type Wanted } from './freeze-arguments.ts'
import { passkeyPage } from './passkey-page.ts'

/** Four times as long as a signer lets a statement lie. */
const waitMs = 20_000
const lookMs = 200

export type Terminal = {
  readonly print: (line: string) => void
  readonly ask: (question: string) => Promise<string>
}

/**
 * `quorate freeze`: signs that something stands still or is over, and lays it where the signers look
 * by themselves. Needs no server, and believes an acknowledgement by its signature.
 *
 * @returns the exit code: 1 unless enough signers have taken it in that no quorum is without them
 */
export async function freezeCommand(
  args: readonly string[],
  terminal: Terminal,
  isPatient = patienceOf(waitMs),
): Promise<number> {
  const { print } = terminal
  try {
    const wanted = await readFreeze(args)
    const manifest = readManifest(new Uint8Array(readFileSync(wanted.manifest)), verifyEd25519)
    const encoded = encodeStatement({
      ...wanted.words,
      nonce: new Uint8Array(randomBytes(32)),
      issuedAt: Date.now(),
    })
    const signed = encodeSigned(encoded, await assertionOver(encoded, wanted, terminal))
    return await deliver({ manifest, hash: sha256(encoded), signed }, wanted, print, isPatient)
  } catch (error) {
    if (!(error instanceof Unusable)) throw error
    print(error.message)
    print(freezeUsage)
    return 2
  }
}

type Signed = {
  readonly manifest: Manifest
  readonly hash: Uint8Array
  readonly signed: Uint8Array
}

/** One mailbox that is not there stops nothing, as long as another is. */
async function deliver(
  { manifest, hash, signed }: Signed,
  { mailboxes }: Wanted,
  print: Terminal['print'],
  isPatient: () => boolean,
): Promise<number> {
  print(`statement ${toHex(hash)}`)
  const reached: Mailbox[] = []
  for (const address of mailboxes) {
    const mailbox = openMailbox(address)
    const fault = await faultOf(() => mailbox.lay(statementName(hash), signed))
    if (fault === undefined) reached.push(mailbox)
    else print(`not laid into ${address}: ${fault}`)
  }
  const known = new Set<string>()
  const { signers, quorum } = manifest
  for (let isLast = reached.length === 0; ; await sleep(lookMs)) {
    isLast ||= !isPatient()
    for (const mailbox of reached)
      await faultOf(() => learnAcknowledged(known, mailbox, manifest, hash))
    if (isLast || known.size === signers.length) break
  }
  for (const { id } of signers) if (known.has(id)) print(`acknowledged by ${id}`)
  print(`${known.size} of ${signers.length} signers; ${quorum} are needed`)
  return known.size >= quorum ? 0 : 1
}

function patienceOf(ms: number): () => boolean {
  const deadline = Date.now() + ms
  return () => Date.now() < deadline
}

async function faultOf(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (error instanceof MailboxFault) return error.message
    throw error
  }
}

/** Anybody may write into a mailbox: what counts is the signer's own signature. */
async function learnAcknowledged(
  known: Set<string>,
  mailbox: Mailbox,
  manifest: Manifest,
  hash: Uint8Array,
): Promise<void> {
  const words = acknowledgement(manifest.hash, hash)
  for (const { id, identity } of manifest.signers) {
    if (known.has(id)) continue
    const bytes = await mailbox.read(acknowledgementName(hash, id))
    const text = bytes?.length === 128 ? fromUtf8(bytes) : ''
    const isHis = /^[0-9a-f]{128}$/.test(text) && verifyEd25519(identity, words, fromHex(text))
    if (isHis) known.add(id)
  }
}

async function assertionOver(
  encoded: Uint8Array,
  { by }: Wanted,
  terminal: Terminal,
): Promise<Assertion> {
  const challenge = statementChallenge(encoded)
  return by.kind === 'key' ? byKey(by.file, challenge) : byPasskey(by, challenge, terminal)
}

function byKey(file: string, challenge: string): Assertion {
  const key = createPrivateKey(readFileSync(file))
  const clientData = clientDataFor(challenge)
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return {
    fingerprint: fingerprintOf(new Uint8Array(spki)),
    clientData,
    signature: new Uint8Array(sign(algorithm, clientData, key)),
    authenticatorData: undefined,
  }
}

/** A passkey answers under its own origin alone: the page must stand there, wherever that is now. */
async function byPasskey(
  { fingerprint, page }: Extract<Wanted['by'], { kind: 'passkey' }>,
  challenge: string,
  { print, ask }: Terminal,
): Promise<Assertion> {
  if (page !== undefined) {
    writeFileSync(page, passkeyPage(challenge))
    print(`Put ${page} under the origin of the passkey, and open it there.`)
  }
  print(`challenge ${challenge}`)
  const answer = parseJson(await ask('What the page shows after the touch: '))
  const bytes = (name: string) => {
    const value = isObject(answer) ? answer[name] : undefined
    if (typeof value !== 'string') throw new Unusable(`The answer has no ${name}.`)
    return fromBase64url(value)
  }
  return {
    fingerprint,
    clientData: bytes('clientData'),
    signature: bytes('signature'),
    authenticatorData: bytes('authenticatorData'),
  }
}
