import { bytesToBig, concat } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { only } from '../../ecdsa/abort.ts'
import { combineEcdsa } from '../../ecdsa/combine.ts'
import { type EcdsaContext, firstSid } from '../../ecdsa/context.ts'
import { curveOf, type EcdsaCurveName } from '../../ecdsa/curve.ts'
import { commitTo, digestOf, messagesOf } from '../../ecdsa/messages.ts'
import type { PairState } from '../../ecdsa/pair.ts'
import { type EcdsaRound1, startEcdsa } from '../../ecdsa/round1.ts'
import { type EcdsaRound2, ecdsaRound2 } from '../../ecdsa/round2.ts'
import { ecdsaRound3 } from '../../ecdsa/round3.ts'
import { named, seeded, setUpPair } from '../../ecdsa/testing/parties.ts'
import { verifySignature } from '../../public/verify.ts'
import type { Party } from '../../session.ts'
import type { Delivery, End, Field, Game, Message, Reactions, Verdict } from '../game.ts'
import { derivedKeyOf, keyOf } from './key.ts'

export type EcdsaSetting = {
  readonly curve: EcdsaCurveName
  readonly n: number
  readonly t: number
  readonly corrupt: readonly Party[]
  /** By a key that is derived from another. */
  readonly isDerived?: boolean
}
export type EcdsaState = EcdsaRound1 | EcdsaRound2

/** threshold-signing 6.7: only what has met a secret of the pair burns it. */
const reactions: Reactions = {
  inbox: 'names',
  malformed: 'names',
  commitment: 'names',
  epoch: 'nobody',
  'round 1 digest': 'names',
  echo: 'nobody',
  nonce: 'nobody',
  'public key': 'nobody',
  extension: 'burns',
  multiplication: 'burns',
  'nonce product': 'burns',
  'key product': 'burns',
  signature: 'nobody',
  'too few parts': 'nobody',
  'the parties are not of one mind': 'nobody',
}

const tag: Field = { kind: 'tag', ends: ['malformed'] }

function tableFor({ curve, t, corrupt }: EcdsaSetting): Readonly<Record<string, Message>> {
  const { announcement, extension, product, closing } = messagesOf(curve)
  // What is said of a pair of two others shows in the echo, and what two corrupt parties say of
  // their pair nowhere, though they may fall out over it.
  const among = [...(corrupt.length > 1 ? ['good', 'inbox'] : []), ...(t > 2 ? ['echo'] : [])]
  // Two lies may cancel each other: the sum is what counts.
  const sum = corrupt.length > 1 ? ['signature', 'good'] : ['signature']
  const digest = ['round 1 digest', ...among]
  const extended: Field = { kind: 'bits', ends: ['round 1 digest', 'extension'] }
  const multiplied = ['malformed', 'multiplication']
  const mind = ['the parties are not of one mind', 'malformed']
  const point = (...ends: readonly string[]): Field => ({
    kind: 'point',
    ends: ['malformed', ...ends],
  })
  const scalar = (...ends: readonly string[]): Field => ({
    kind: 'scalar',
    ends: ['malformed', ...ends],
  })
  return {
    announcement: {
      codec: announcement,
      fields: {
        format: tag,
        nonce: { kind: 'hash', ends: ['extension', 'echo'] },
        commitment: { kind: 'hash', ends: ['commitment', 'echo'] },
        epochs: { kind: 'count', ends: ['malformed'] },
        'epochs.*': { kind: 'hash', ends: ['epoch', ...among] },
        digests: { kind: 'count', ends: ['malformed'] },
        'digests.*': { kind: 'hash', ends: digest },
      },
      ends: ['inbox', 'malformed', 'epoch', 'round 1 digest'],
    },
    extension: {
      codec: extension,
      fields: {
        format: tag,
        corrections: extended,
        fold: extended,
        proof: { ...extended, kind: 'hash' },
      },
      ends: ['inbox', 'malformed', 'round 1 digest', 'extension'],
    },
    product: {
      codec: product,
      fields: {
        format: tag,
        echo: { kind: 'hash', ends: ['echo'] },
        noncePoint: point('commitment', 'nonce product'),
        salt: { kind: 'hash', ends: ['commitment', 'good'] },
        keyPoint: point('key product'),
        masked: { kind: 'scalars', ends: multiplied },
        combined: scalar('multiplication'),
        proof: { kind: 'hash', ends: ['multiplication'] },
        nonceShare: point('nonce product'),
        keyShare: point('key product'),
        difference: scalar(...sum),
      },
      ends: ['inbox', 'malformed', 'echo', 'commitment'],
    },
    closing: {
      codec: closing,
      fields: {
        format: tag,
        noncePoint: point(...mind),
        view: { kind: 'hash', ends: mind },
        numerator: scalar(...sum),
        denominator: scalar(...sum),
      },
      ends: [...mind, 'signature', 'too few parts'],
    },
  }
}

type Session = {
  readonly name: string
  readonly epoch: string
  /** What a party begins with, in the place of what it should. */
  readonly change: (context: EcdsaContext) => EcdsaContext
}

/** A signature by parties 1 to t. By another name it is another session; by another epoch, of other pairs. */
export function ecdsaGame(
  setting: EcdsaSetting,
  { name = 'a session', epoch = 'an epoch', change = (context) => context }: Partial<Session> = {},
): Game<EcdsaState> {
  const { curve, n, t, corrupt, isDerived = false } = setting
  const parties = Array.from({ length: t }, (_, i) => i + 1)
  const contexts = contextsOf(setting, parties, { name, epoch, change })
  const first = firstSid(contexts.get(1) ?? Object.create(null))
  return {
    name: `ECDSA ${curve} ${t} of ${n}${isDerived ? ', a derived key' : ''}`,
    parties,
    messages: tableFor({ curve, n, t, corrupt }),
    nameOf: ({ round, to }) =>
      round === 1
        ? to === '*'
          ? 'announcement'
          : 'extension'
        : round === 2
          ? 'product'
          : 'closing',
    reactions,
    start: () =>
      new Map(
        [...contexts].map(([self, context]) => [
          self,
          startEcdsa(context, seeded(`${name} ${self}`)),
        ]),
      ),
    step: (state, inbox) => {
      const copy = structuredClone(state)
      return 'announced' in copy ? ecdsaRound2(copy, inbox) : ecdsaRound3(copy, inbox)
    },
    believe: (state, { to, body }) =>
      'announced' in state && to === '*' ? { ...state, announced: body } : state,
    rebind: (lie, other) => rebind(setting, { parties, first }, lie, other),
    judge: (end) => judge(setting, contexts.get(1), parties, end),
  }
}

function contextsOf(
  { curve, n, t, isDerived }: EcdsaSetting,
  quorum: readonly Party[],
  { name, epoch, change }: Session,
): ReadonlyMap<Party, EcdsaContext> {
  const { secrets, publicKey, publicShares } = isDerived
    ? derivedKeyOf({ n, t })
    : keyOf(curve, { n, t })
  const digest = named(`digest of ${name}`)
  // Below 2^251, as the Stark curve has it.
  digest[0] = 1
  return new Map(
    quorum.map((self) => [
      self,
      change({
        ...{ curve, self, quorum, n, t, publicKey, publicShares, digest },
        secret: secrets[self - 1] ?? new Uint8Array(),
        pairs: new Map(
          quorum.filter((peer) => peer !== self).map((peer) => [peer, pairOf(self, peer, epoch)]),
        ),
        sid: named(`sid of ${name}`),
      }),
    ]),
  )
}

const setUp = new Map<string, readonly [PairState, PairState]>()

/** Real setups, each made once in a process. */
export function pairOf(self: Party, peer: Party, epoch: string): PairState {
  const [low, high] = self < peer ? [self, peer] : [peer, self]
  const name = `${low} ${high} ${epoch}`
  const made = setUp.get(name) ?? setUpPair(low, high, seeded(name))
  setUp.set(name, made)
  return made[self === low ? 0 : 1]
}

/** The digest of a falsified extension, and the commitment that a falsified nonce point opens. */
function rebind(
  { curve }: EcdsaSetting,
  { parties, first }: { readonly parties: readonly Party[]; readonly first: Uint8Array },
  lie: Delivery,
  other: Delivery,
): Uint8Array | undefined {
  if (other.round !== 1 || other.to !== '*') return undefined
  const { announcement, product } = messagesOf(curve)
  const spoken = decode(announcement, other.body)
  if (lie.round === 1 && lie.to !== '*') {
    const place = parties.filter((party) => party !== lie.from).indexOf(lie.receiver)
    const digest = digestOf(first, lie.from, lie.receiver, lie.body)
    return encode(announcement, { ...spoken, digests: spoken.digests.with(place, digest) })
  }
  if (lie.round !== 2) return undefined
  try {
    const { noncePoint, salt } = decode(product, lie.body)
    const commitment = commitTo(first, lie.from, noncePoint, salt)
    return encode(announcement, { ...spoken, commitment })
  } catch {
    // What is no product opens nothing.
    return undefined
  }
}

function judge(
  { curve }: EcdsaSetting,
  context: EcdsaContext | undefined,
  parties: readonly Party[],
  { honest, broadcasts }: End,
): Verdict {
  if ([...honest.values()].some(({ kind }) => kind !== 'done') || context === undefined)
    return { kind: 'refused', reason: 'too few parts', culprits: [] }
  const heard = broadcasts.get(3) ?? []
  const round3 = new Map<Party, Uint8Array>()
  for (const party of parties) {
    const body = only(heard, party, '*')
    if (body !== undefined) round3.set(party, body)
  }
  const { publicKey, digest } = context
  const combined = combineEcdsa({ curve, publicKey, digest, round3 })
  if (!combined.ok) return { kind: 'refused', ...combined }
  const { r, s } = combined.signature
  const isLow = !curveOf(curve).isLowS || bytesToBig(s) <= curveOf(curve).group.order / 2n
  return isLow && verifySignature('ECDSA', curve, publicKey, digest, concat(r, s))
    ? { kind: 'good' }
    : { kind: 'bad', what: 'a signature that does not hold' }
}
