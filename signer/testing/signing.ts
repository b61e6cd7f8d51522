import { randomBytes } from 'node:crypto'
import type { KeyTerms } from '@quorate/authority/key-certificate'
import { decodeDerivation, decodeSchnorr, type Derivation } from '@quorate/effects/instruction'
import { combineEcdsa } from '@quorate/threshold/ecdsa/combine'
import { ecdsaCurve } from '@quorate/threshold/ecdsa/curve'
import { frostAggregate } from '@quorate/threshold/public/aggregate'
import { dhCombine } from '@quorate/threshold/public/derive'
import { type Birth, taprootAggregate } from '@quorate/threshold/public/taproot'
import { everybody as toAll, type Packet } from '@quorate/wire/packet'
import type { SessionCall } from '@quorate/wire/link'
import { carry, everybody, told, type Carrying, type Endings, type Key } from './keys.ts'
import type { Drafted, Place } from './ledger.ts'
import type { World } from './world.ts'

export type SignCall = Extract<SessionCall, { kind: 'sign' }>

/** The call that opens a signature; what is not given is the first of its kind, or fresh. */
export function signCall(
  { organization, stream }: Place,
  { step }: Pick<Drafted, 'step'>,
  given: Partial<SignCall> = {},
): SignCall {
  return {
    kind: 'sign',
    organization,
    stream,
    seq: step.seq,
    step: step.hash,
    item: 0,
    digest: 0,
    quorum: [1, 2],
    nonce: new Uint8Array(randomBytes(32)),
    ...given,
  }
}

export type Signed = {
  readonly endings: Endings
  /** Of each signer, in the order of rounds. */
  readonly packets: ReadonlyMap<number, readonly Packet[]>
}

/** Every round of one signature under a step that is in force. */
export async function runSigning(
  world: World,
  call: SignCall,
  carrying: Carrying = {},
): Promise<Signed> {
  const packets = new Map<number, Packet[]>()
  const onPacket = (from: number, packet: Packet): void => {
    packets.set(from, [...(packets.get(from) ?? []), packet])
  }
  const first = await everybody(world, (index) => world.session(index, call), call.quorum)
  return { endings: await carry(world, first, { ...carrying, onPacket }), packets }
}

/** The rounds of a signature by this key, which are also what its server asks for. */
export function roundsOf({ statement }: Key): number {
  return { ECDSA: 3, EdDSA: 2, Schnorr: 2, DH: 1 }[statement.terms.scheme]
}

/** A verified signature over `message`. @throws Error with what a signer said instead */
export async function signature(
  world: World,
  key: Key,
  { call, message }: { readonly call: SignCall; readonly message: Uint8Array },
): Promise<Uint8Array> {
  const signed = await runSigning(world, call, { roundsMax: roundsOf(key) })
  for (const [index, ending] of signed.endings)
    if (ending.kind !== 'packet') throw new Error(`signer ${index}: ${told(ending)}`)
  const made = combine(key, call.quorum, { message, packets: signed.packets })
  if (made === undefined) throw new Error('the shares make no signature')
  return made
}

/** As a server does it, with no secret at all. */
export function combine(
  { statement }: Key,
  quorum: readonly number[],
  { message, packets }: { readonly message: Uint8Array } & Pick<Signed, 'packets'>,
): Uint8Array | undefined {
  const { publicKey, publicShares, terms } = statement
  const round = (index: number) =>
    new Map(quorum.map((signer) => [signer, broadcastOf(packets.get(signer)?.[index])]))
  if (terms.scheme === 'ECDSA') {
    const made = combineEcdsa({
      curve: ecdsaCurve(terms.curve),
      publicKey,
      digest: message,
      round3: round(2),
    })
    return made.ok ? new Uint8Array([...made.signature.r, ...made.signature.s]) : undefined
  }
  const shares = new Map(publicShares.map((share, i) => [i + 1, share]))
  const known = { publicKey, publicShares: shares, quorum }
  if (terms.scheme === 'DH') {
    const sid = packets.get(quorum[0] ?? 0)?.[0]?.header.ceremony ?? new Uint8Array()
    const derived = dhCombine({ ...known, sid, partials: round(0), ...decodeDerivation(message) })
    return derived.ok ? derived.output : undefined
  }
  const spoken = { ...known, commitments: round(0), shares: round(1) }
  const made =
    terms.scheme === 'Schnorr'
      ? taprootAggregate({ ...spoken, ...decodeSchnorr(message), birth: birthOf(terms) })
      : frostAggregate({ ...spoken, message })
  return made.ok ? made.signature : undefined
}

function birthOf({ untweaked }: Pick<KeyTerms, 'untweaked'>): Birth {
  return untweaked === 'yes' ? 'plain' : 'taproot'
}

/** What a server gives a client beside the output of a derivation. */
export function derivationOf(
  { statement: { publicKey, publicShares } }: Key,
  quorum: readonly number[],
  { message, packets }: { readonly message: Uint8Array } & Pick<Signed, 'packets'>,
): Derivation {
  const sid = packets.get(quorum[0] ?? 0)?.[0]?.header.ceremony ?? new Uint8Array()
  const partials = new Map(quorum.map((signer) => [signer, broadcastOf(packets.get(signer)?.[0])]))
  const shares = new Map(publicShares.map((share, i) => [i + 1, share]))
  const known = { publicKey, publicShares: shares, quorum }
  const derived = dhCombine({ ...known, sid, partials, ...decodeDerivation(message) })
  if (!derived.ok) throw new Error('the parts make no output')
  const parts = [...partials].map(([signer, partial]) => ({
    ...{ signer, partial, publicShare: shares.get(signer) ?? new Uint8Array() },
  }))
  return { sid, point: derived.point, partials: parts }
}

export function broadcastOf(packet: Packet | undefined): Uint8Array {
  return packet?.parts.find(({ to }) => to === toAll)?.body ?? new Uint8Array()
}

/** Pair setup between these two, to its end. */
export async function setUpPair(
  world: World,
  low: number,
  high: number,
  carrying: Carrying = {},
): Promise<Endings> {
  const { organization } = world
  const nonce = new Uint8Array(randomBytes(32))
  const call = { kind: 'pair', organization, participants: [low, high], nonce } as const
  const first = await everybody(world, (index) => world.session(index, call), [low, high])
  return carry(world, first, carrying)
}

export async function setUpAllPairs(world: World): Promise<void> {
  for (const low of world.indexes)
    for (const high of world.indexes.filter((index) => index > low))
      for (const [index, ending] of await setUpPair(world, low, high))
        if (ending.kind !== 'finished') throw new Error(`signer ${index}: ${told(ending)}`)
}
