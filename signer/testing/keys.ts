import { createECDH, randomBytes } from 'node:crypto'
import {
  encodeKeyStatement,
  encodePooledStatement,
  pooledMs,
  readKeyCertificate,
  sealKeyCertificate,
  type Curve,
  type KeyStatement,
  type KeyTerms,
  type Scheme,
} from '@quorate/authority/key-certificate'
import { judgeKeyRequest } from '@quorate/authority/reduce/questions'
import type { WholeEvidence } from '@quorate/authority/step'
import { decodeRecord, keyTable, recordKey } from '@quorate/authority/records'
import { rootOf } from '@quorate/authority/stream'
import { equalBytes } from '@quorate/core/bytes'
import { childKeyOf } from '@quorate/effects/child-key'
import { childParts } from '@quorate/threshold/public/child'
import { packetFor, type Packet } from '@quorate/wire/packet'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { entry, signAs } from './cluster.ts'
import type { World } from './world.ts'

export type Key = {
  readonly id: Uint8Array
  readonly name: string
  /** What all signers have signed about it. */
  readonly statement: KeyStatement
}
export type Wallet = { readonly name: string; readonly key: Key }

/** `POST /keys` with a key generation by all signers, which must all be real. */
export async function createKey(
  world: World,
  body: {
    readonly scheme: string
    readonly curve: string
    readonly masterKey?: boolean
    readonly untweaked?: boolean
  },
): Promise<Key> {
  const asked = world.request({ path: '/keys', body })
  const evidence = { ...asked, facts: await generate(world, asked) }
  const [name = ''] = world.know(evidence, 'key')
  await world.put('key', evidence)
  return { id: world.id(name), name, statement: statementIn(evidence) }
}

/** `POST /keys` of a child of another: no signer does anything for it. */
export async function deriveKey(world: World, master: Key, path?: string): Promise<Key> {
  const { scheme, curve } = master.statement.terms
  const deriveFrom = { keyId: master.name, ...(path === undefined ? {} : { path }) }
  const asked = world.request({ path: '/keys', body: { scheme, curve, deriveFrom } })
  const evidence = { ...asked, facts: new Uint8Array() }
  const [name = ''] = world.know(evidence, 'key')
  await world.put('key', evidence)
  return childIn(world, master, { id: world.id(name), name })
}

/** A child that is in the log, worked out from the certificate of its master. */
export function childIn(world: World, master: Key, { id, name }: Pick<Key, 'id' | 'name'>): Key {
  const root = rootOf(world.organization)
  const record = world.ledger.reader.read(root, recordKey(keyTable, id))
  if (record === undefined) throw new Error('the key is not in the log')
  const { terms, derivation } = decodeRecord(keyTable, record)
  const child = childKeyOf(master.statement, derivation?.path ?? [])
  if (child === undefined) throw new Error('no key at this path')
  const parts = childParts(master.statement, child.tweak)
  const { chainCode } = child
  return { id, name, statement: { ...master.statement, terms, ...parts, chainCode } }
}

/** `POST /wallets`; on a new key unless `key` is given. */
export async function createWallet(world: World, network: string, key?: Key): Promise<Wallet> {
  const body = key === undefined ? { network } : { network, signingKey: { id: key.name } }
  const asked = world.request({ path: '/wallets', body })
  const facts = key === undefined ? await generate(world, asked) : asked.facts
  const evidence = { ...asked, facts }
  const [name = '', ownKey = ''] = world.know(evidence, 'wallet', 'key')
  await world.put('wallet', evidence)
  const made = () => ({ id: world.id(ownKey), name: ownKey, statement: statementIn(evidence) })
  return { name, key: key ?? made() }
}

function statementIn({ facts }: WholeEvidence): KeyStatement {
  return readKeyCertificate(facts).statement
}

/**
 * The key certificate that a run of the key generation ends in, or a forged one with no shares.
 * @param number which of the request's keys
 */
export async function generate(
  world: World,
  evidence: WholeEvidence,
  number = 0,
): Promise<Uint8Array> {
  if (!world.isComplete) return forgeCertificate(world, termsOf(world, evidence))
  const nonce = new Uint8Array(randomBytes(32))
  const { organization } = world
  return bear(world, { kind: 'generate', organization, evidence, index: number, nonce })
}

/** The certificate of a key that nobody has asked for. */
export async function generatePooled(
  world: World,
  kind: { readonly scheme: Scheme; readonly curve: Curve },
): Promise<Uint8Array> {
  if (world.isComplete) return bear(world, poolCall(world, kind))
  const terms = { organization: world.organization, ...kind, bindBefore: world.now + pooledMs }
  return forge(world, kind.curve, (made) => encodePooledStatement({ terms, ...made }))
}

export function poolCall(
  { organization, now: time }: Pick<World, 'organization' | 'now'>,
  kind: { readonly scheme: Scheme; readonly curve: Curve },
) {
  const nonce = new Uint8Array(randomBytes(32))
  return { kind: 'pool', organization, ...kind, time, nonce } as const
}

/** By all signers, to its end. */
async function bear(world: World, call: SessionCall): Promise<Uint8Array> {
  const first = await everybody(world, (index) => world.session(index, call))
  const endings = await carry(world, first)
  const certified = world.indexes.map((index) => {
    const ending = endings.get(index)
    if (ending?.kind !== 'certified') throw new Error(`signer ${index}: ${told(ending)}`)
    return ending
  })
  const { statement } = entry(certified, 0)
  if (!certified.every((one) => equalBytes(one.statement, statement)))
    throw new Error('the signers have not made one key')
  return sealKeyCertificate(
    statement,
    certified.map(({ signature }) => signature),
  )
}

export function termsOf(world: World, evidence: WholeEvidence): KeyTerms {
  const { organization, now: time, ledger, rules } = world
  const judged = judgeKeyRequest({ organization, time, evidence }, ledger.reader, rules)
  if (!judged.ok) throw new Error(`the rules refuse: ${judged.reason}`)
  return judged.terms
}

/** Of a key that nobody has a share of: enough wherever nothing is signed in the end. */
export function forgeCertificate(world: World, terms: KeyTerms): Uint8Array {
  return forge(world, terms.curve, (made) => encodeKeyStatement({ terms, ...made }))
}

function forge(
  world: World,
  curve: Curve,
  encode: (made: Omit<KeyStatement, 'terms'>) => Uint8Array,
): Uint8Array {
  const point = createECDH(curve === 'secp256k1' ? 'secp256k1' : 'prime256v1')
  point.generateKeys()
  const publicKey =
    curve === 'secp256k1'
      ? new Uint8Array(point.getPublicKey(null, 'compressed'))
      : new Uint8Array(randomBytes(32))
  const statement = encode({
    manifest: world.cluster.manifest.hash,
    threshold: world.cluster.manifest.threshold,
    publicKey,
    publicShares: world.indexes.map(() => publicKey),
    chainCode: new Uint8Array(32),
    transcript: new Uint8Array(32),
  })
  return sealKeyCertificate(
    statement,
    world.indexes.map((index) => signAs(world.cluster, index, statement)),
  )
}

/** What each signer says in the end, and what the carrier may do to a packet on its way. */
export type Endings = ReadonlyMap<number, SessionReply>
export type Tamper = (packet: Packet, to: number) => Packet

export type Carrying = {
  /** Packets of each participant, the first among them. */
  readonly roundsMax?: number
  readonly tamper?: Tamper
  readonly onPacket?: (from: number, packet: Packet) => void
}

/** Carries packets between the participants until nobody has another one. */
export async function carry(
  world: World,
  first: Endings,
  { roundsMax = 8, tamper = (packet) => packet, onPacket = () => undefined }: Carrying = {},
): Promise<Endings> {
  for (const [index, reply] of first) if (reply.kind === 'packet') onPacket(index, reply.packet)
  let replies = first
  for (let round = 1; round < roundsMax; round++) {
    const sent = new Map([...replies].flatMap(([i, r]) => (r.kind === 'packet' ? [[i, r]] : [])))
    if (sent.size < replies.size || sent.size === 0) return replies
    const next = new Map<number, SessionReply>()
    for (const [index, { ceremony }] of sent)
      next.set(
        index,
        await world.session(index, {
          kind: 'advance',
          ceremony,
          packets: [...sent]
            .filter(([from]) => from !== index)
            .map(([, { packet }]) => tamper(packetFor(index, packet), index)),
        }),
      )
    for (const [index, reply] of next) if (reply.kind === 'packet') onPacket(index, reply.packet)
    replies = next
  }
  return replies
}

export async function everybody(
  world: World,
  run: (index: number) => Promise<SessionReply>,
  indexes: readonly number[] = world.indexes,
): Promise<Map<number, SessionReply>> {
  const replies = new Map<number, SessionReply>()
  for (const index of indexes) replies.set(index, await run(index))
  return replies
}

export function told(reply: SessionReply | undefined): string {
  if (reply === undefined) return 'nothing'
  return 'reason' in reply ? `${reply.kind}: ${reply.reason}` : reply.kind
}
