import { fixed, struct } from '@quorate/core/codec'
import { only } from '../../ecdsa/abort.ts'
import { named, seeded } from '../../ecdsa/testing/parties.ts'
import type { Aggregated } from '../../frost/aggregate.ts'
import { frostCommit } from '../../frost/nonces.ts'
import { frostSign, type FrostSigning, type Signed } from '../../frost/sign.ts'
import { groupOf } from '../../group/groups.ts'
import { frostAggregate } from '../../public/aggregate.ts'
import { verifySchnorr } from '../../public/schnorr.ts'
import { outputKeyOf, taprootAggregate } from '../../public/taproot.ts'
import { verifySignature } from '../../public/verify.ts'
import type { Inbound, Outcome, Party } from '../../session.ts'
import type { Birth } from '../../taproot/key.ts'
import { taprootCommit, taprootSign } from '../../taproot/sign.ts'
import type { End, Game, Message, Reactions, Verdict } from '../game.ts'
import { derivedKeyOf, type Key, keyOf } from './key.ts'

type Size = {
  readonly n: number
  readonly t: number
  readonly corrupt: readonly Party[]
  /** By a key that is derived from another. */
  readonly isDerived?: boolean
}
/** What a party signs with. */
type Held = { readonly secret: Uint8Array; readonly message: Uint8Array }
/** In what Ed25519 and Taproot differ. */
type Kind = {
  readonly name: string
  readonly group: 'ed25519' | 'secp256k1'
  readonly commit: typeof frostCommit
  readonly sign: (signing: FrostSigning) => Signed
  readonly aggregate: (input: Parameters<typeof frostAggregate>[0]) => Aggregated
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
}

export const ed25519Kind: Kind = {
  name: 'FROST Ed25519',
  group: 'ed25519',
  commit: frostCommit,
  sign: frostSign,
  aggregate: frostAggregate,
  verify: (publicKey, message, signature) =>
    verifySignature('EdDSA', 'ed25519', publicKey, message, signature),
}

export function taprootKind(birth: Birth, merkleRoot: Uint8Array | undefined): Kind {
  const spend = { birth, merkleRoot }
  const tree = merkleRoot?.length === 0 ? ', no scripts' : ', a script tree'
  return {
    name: `Taproot, ${birth}${birth === 'plain' ? '' : tree}`,
    group: 'secp256k1',
    commit: taprootCommit,
    sign: (signing) => taprootSign({ ...signing, ...spend }),
    aggregate: (input) => taprootAggregate({ ...input, ...spend }),
    verify: (publicKey, message, signature) => {
      const key = outputKeyOf({ publicKey, ...spend })
      return key !== undefined && verifySchnorr(key, message, signature)
    },
  }
}

const reactions: Reactions = {
  inbox: 'names',
  'invalid commitment': 'names',
  share: 'names',
  // The honest have ended it before.
  'no shares': 'nobody',
}

function tableFor({ group }: Kind, corrupt: readonly Party[]): Readonly<Record<string, Message>> {
  const point = fixed(groupOf(group).pointSize)
  const codecs = {
    commitment: struct({ hiding: point, binding: point }),
    share: struct({ R: point, share: fixed(32) }),
  }
  const ends = ['inbox', 'invalid commitment', 'share']
  return {
    commitment: {
      codec: codecs.commitment,
      fields: {
        hiding: { kind: 'point', ends, endsInvalid: ['invalid commitment'] },
        binding: { kind: 'point', ends, endsInvalid: ['invalid commitment'] },
      },
      ends,
    },
    share: {
      codec: codecs.share,
      // Two lies may cancel each other: the sum is what counts.
      // The first one's R is taken, and whoever else says what he likes of it.
      fields: {
        R: { kind: 'point', ends: corrupt.includes(1) ? ['share'] : ['share', 'good'] },
        share: { kind: 'scalar', ends: corrupt.length > 1 ? ['share', 'good'] : ['share'] },
      },
      ends: ['share'],
    },
  }
}

export type SchnorrState = { readonly self: Party }

/** A signature by parties 1 to t. The coordinator carries the commitments. */
export function schnorrGame(
  kind: Kind,
  { n, t, corrupt, isDerived = false }: Size,
  name = 'a session',
  change: (held: Held, self: Party) => Held = (held) => held,
): Game<SchnorrState> {
  const key = isDerived ? derivedKeyOf({ n, t }) : keyOf(kind.group, { n, t })
  const quorum = Array.from({ length: t }, (_, i) => i + 1)
  const message = named(`message of ${name}`)
  const committed = (self: Party) =>
    kind.commit({ secret: secretOf(key, self), hedge: named(name) }, seeded(`${name} ${self}`))
  return {
    name: `${kind.name} ${t} of ${n}${isDerived ? ', a derived key' : ''}`,
    parties: quorum,
    messages: tableFor(kind, corrupt),
    nameOf: ({ round }) => (round === 1 ? 'commitment' : 'share'),
    reactions,
    isRelayed: true,
    start: () =>
      new Map(
        quorum.map((self) => [
          self,
          { kind: 'next', state: { self }, out: [{ to: '*', body: committed(self).commitment }] },
        ]),
      ),
    step: ({ self }, inbox) => {
      const { nonces, commitment } = committed(self)
      const heard = commitmentsOf(
        quorum.filter((party) => party !== self),
        inbox,
      )
      if (!heard.ok) return abort('inbox', heard.missing)
      const commitments = new Map(heard.commitments).set(self, commitment)
      const held = change({ secret: secretOf(key, self), message }, self)
      const keyShare = { self, n, t, secret: held.secret, publicKey: key.publicKey }
      const signing = { keyShare, quorum, commitments, message: held.message, nonces }
      return outcomeOf(kind.sign(signing))
    },
    judge: (end) => judge(kind, { key, quorum, message }, end),
  }
}

function secretOf({ secrets }: Key, self: Party): Uint8Array {
  return secrets[self - 1] ?? new Uint8Array()
}

/** As a signer takes them off its mail: exactly one of each. */
function commitmentsOf(
  parties: readonly Party[],
  inbox: readonly Inbound[],
):
  | { readonly ok: true; readonly commitments: ReadonlyMap<Party, Uint8Array> }
  | { readonly ok: false; readonly missing: readonly Party[] } {
  const commitments = new Map<Party, Uint8Array>()
  for (const party of parties) {
    const body = only(inbox, party, '*')
    if (body !== undefined) commitments.set(party, body)
  }
  const missing = parties.filter((party) => !commitments.has(party))
  return missing.length > 0 ? { ok: false, missing } : { ok: true, commitments }
}

function outcomeOf(signed: Signed): Outcome<SchnorrState, unknown> {
  if (!signed.ok) return abort(signed.reason, signed.culprits)
  return { kind: 'done', result: undefined, out: [{ to: '*', body: signed.share }] }
}

function abort(reason: string, culprits: readonly Party[]): Outcome<never, never> {
  return { kind: 'abort', abort: { reason, culprits, burned: [] } }
}

function judge(
  kind: Kind,
  { key, quorum, message }: { key: Key; quorum: readonly Party[]; message: Uint8Array },
  { honest, broadcasts }: End,
): Verdict {
  if ([...honest.values()].some((ending) => ending.kind !== 'done'))
    return { kind: 'refused', reason: 'no shares', culprits: [] }
  const heard = commitmentsOf(quorum, broadcasts.get(1) ?? [])
  const commitments = heard.ok ? heard.commitments : new Map<Party, Uint8Array>()
  const shares = new Map<Party, Uint8Array>()
  for (const party of quorum) {
    const body = only(broadcasts.get(2) ?? [], party, '*')
    if (body !== undefined) shares.set(party, body)
  }
  const { publicKey } = key
  const publicShares = new Map(key.publicShares.map((share, i) => [i + 1, share]))
  const made = kind.aggregate({ publicKey, publicShares, quorum, commitments, message, shares })
  if (!made.ok) return { kind: 'refused', reason: 'share', culprits: made.culprits }
  return kind.verify(publicKey, message, made.signature)
    ? { kind: 'good' }
    : { kind: 'bad', what: 'a signature that does not hold' }
}
