import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { decode, encode, fixed, struct } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import type { KeyShare } from '../../dkg/context.ts'
import {
  commitmentCodec,
  openingCodec,
  responseCodec,
  settlementCodec,
  shareSize,
} from '../../dkg/messages.ts'
import { commitmentTo, startDkg } from '../../dkg/round1.ts'
import { type DkgState, dkgStep } from '../../dkg/step.ts'
import { seeded } from '../../ecdsa/testing/parties.ts'
import type { GroupName } from '../../group/group.ts'
import { groupOf } from '../../group/groups.ts'
import { lagrange } from '../../group/polynomial.ts'
import type { Inbound, Outbound, Outcome, Party } from '../../session.ts'
import type { Ending, Field, Game, Message, Reactions, Verdict } from '../game.ts'

type Size = { readonly group: GroupName; readonly n: number; readonly t: number }

const reactions: Reactions = {
  'unknown sender': 'nobody',
  'unexpected message': 'names',
  'duplicate message': 'names',
  'missing message': 'names',
  'malformed message': 'names',
  'commitment does not open': 'names',
  'commitment vector length': 'names',
  'invalid point': 'names',
  'proof of possession': 'names',
  'wrong share': 'names',
  'echo mismatch': 'nobody',
  'disputed share': 'nobody',
  'identity public key': 'nobody',
  'identity public share': 'nobody',
  // Not a party's: certificates of all over one transcript are what puts a key in force.
  'no common transcript': 'nobody',
  'no key': 'nobody',
}

const carried = [
  'unknown sender',
  'unexpected message',
  'duplicate message',
  'missing message',
  'malformed message',
  'echo mismatch',
]
const opened = ['commitment does not open', 'echo mismatch']
/** A corrupt dealer who is accused goes on: silent, or with what it should have sent. */
const disputed = ['disputed share', 'wrong share', 'missing message']
const echo: Field = { kind: 'hash', ends: ['echo mismatch'] }

function messagesOf(size: Size): Readonly<Record<string, Message>> {
  const proof = ['proof of possession']
  const point: Field = { kind: 'point', ends: [...opened, 'invalid point', ...proof, ...disputed] }
  return {
    commitment: {
      codec: commitmentCodec,
      fields: { commitment: { kind: 'hash', ends: opened } },
      ends: [...carried, ...opened],
    },
    opening: {
      codec: openingCodec(groupOf(size.group)),
      fields: {
        echo,
        points: { kind: 'count', ends: [...opened, 'commitment vector length'] },
        'points.*': point,
        proofNonce: point,
        rho: { kind: 'hash', ends: [...opened, ...proof, 'missing message'] },
        salt: { kind: 'hash', ends: [...opened, 'good'] },
      },
      ends: [
        ...carried,
        ...opened,
        'commitment vector length',
        'invalid point',
        ...proof,
        ...disputed,
      ],
    },
    share: {
      codec: struct({ share: fixed(shareSize) }),
      fields: { share: { kind: 'scalar', ends: disputed } },
      ends: [...carried, ...disputed],
    },
    response: {
      codec: responseCodec,
      fields: {
        '': { kind: 'index', ends: ['malformed message'] },
        'response.echo': echo,
        'response.proof': {
          kind: 'scalar',
          ends: [...proof, 'no common transcript', 'echo mismatch'],
        },
        'complaint.echo': echo,
        'complaint.accused': { kind: 'count', ends: ['malformed message'] },
        'complaint.accused.*': {
          kind: 'index',
          ends: ['malformed message', ...disputed, 'echo mismatch'],
        },
      },
      ends: [...carried, ...proof, 'no common transcript', ...disputed],
    },
    settlement: {
      codec: settlementCodec,
      fields: {
        echo,
        shares: { kind: 'count', ends: ['malformed message'] },
        'shares.*.accuser': { kind: 'index', ends: ['malformed message'] },
        'shares.*.share': { kind: 'scalar', ends: ['wrong share', 'malformed message'] },
      },
      ends: [...carried, ...disputed],
    },
  }
}

const names = [
  ['commitment', 'commitment'],
  ['opening', 'share'],
  ['response', 'response'],
  ['settlement', 'settlement'],
] as const

/** A key generation, from the same seeds every time; by another name it is another session. */
export function dkgGame(size: Size, session = 'a session'): Game<DkgState> {
  const parties = Array.from({ length: size.n }, (_, i) => i + 1)
  const sid = sha256(toUtf8(session))
  return {
    name: `DKG ${size.group} ${size.t} of ${size.n}`,
    parties,
    messages: messagesOf(size),
    nameOf: ({ round, to }) => names[round - 1]?.[to === '*' ? 0 : 1] ?? '',
    reactions,
    start: () =>
      new Map(
        parties.map((self) => [
          self,
          startDkg({ ...size, self, sid }, seeded(`${session} ${size.group} ${self}`)),
        ]),
      ),
    step,
    believe: (state, { to, body }) => (to === '*' ? { ...state, sent: body } : state),
    rebind: (lie, other) => {
      if (lie.round !== 2 || lie.to !== '*' || other.round !== 1) return undefined
      const context = { ...size, self: lie.from, sid }
      return recommitted(size.group, context, lie.body)
    },
    judge: ({ honest }) => judge(size, honest),
  }
}

/** A state is taken further once, and its secrets are overwritten: here it is gone on from many times. */
function step(state: DkgState, inbox: readonly Inbound[]): Outcome<DkgState, KeyShare> {
  return dkgStep(structuredClone(state), inbox)
}

function recommitted(
  group: GroupName,
  context: Parameters<typeof commitmentTo>[0],
  body: Uint8Array,
): Uint8Array | undefined {
  try {
    const opening = decode(openingCodec(groupOf(group)), body)
    return encode(commitmentCodec, { commitment: commitmentTo(context, context.self, opening) })
  } catch {
    // What is no opening has no commitment that it could fit.
    return undefined
  }
}

/** The same with a dispute: party 2 deals party 1 a wrong share, or says that it was dealt one. */
export function disputeGame(
  size: Size,
  by: 'dealer' | 'accuser',
  session?: string,
): Game<DkgState> {
  const honest = dkgGame(size, session)
  const { group } = size
  const liar: Party = 2
  const falsify = (outcome: Outcome<DkgState, unknown>): Outcome<DkgState, unknown> => {
    if (outcome.kind !== 'next') return outcome
    const { state, out } = outcome
    if (by === 'dealer' && state.kind === 'round2')
      return { ...outcome, out: out.map((one) => (one.to === 1 ? wrongShare(group, one) : one)) }
    if (by === 'accuser' && state.kind === 'round3') {
      const spoken = decode(responseCodec, state.sent)
      const sent = encode(responseCodec, { kind: 'complaint', echo: spoken.echo, accused: [1] })
      return { ...outcome, state: { ...state, sent }, out: [{ to: '*', body: sent }] }
    }
    return outcome
  }
  return {
    ...honest,
    usual: 'disputed share',
    name: `${honest.name}, ${by === 'dealer' ? 'a wrong share' : 'a false complaint'}`,
    step: (state, inbox, party) =>
      party === liar ? falsify(step(state, inbox)) : step(state, inbox),
  }
}

function wrongShare(name: GroupName, { to, body }: Outbound): Outbound {
  const group = groupOf(name)
  const share = group.scalarFromBytes(body) ?? 0n
  return { to, body: group.scalarToBytes(group.mod(share + 5n)) }
}

/** A key is good when all who are honest have the same one, and any of them that are enough hold it. */
function judge({ group: name, n, t }: Size, endings: ReadonlyMap<Party, Ending>): Verdict {
  const keys: KeyShare[] = []
  for (const ending of endings.values())
    if (ending.kind === 'done') keys.push(ending.result as KeyShare)
  const [first] = keys
  if (first === undefined || keys.length < endings.size) return refused('no key')
  if (!keys.every(({ transcript }) => equalBytes(transcript, first.transcript)))
    return refused('no common transcript')
  const group = groupOf(name)
  for (const key of keys) {
    if (key.n !== n || key.t !== t || key.publicShares.length !== n) return bad('another threshold')
    if (!equalBytes(key.publicKey, first.publicKey)) return bad('two keys under one transcript')
    if (
      !key.publicShares.every((share, i) =>
        equalBytes(share, first.publicShares[i] ?? share.slice(1)),
      )
    )
      return bad('two sets of public shares')
    const secret = group.scalarFromBytes(key.secret)
    const own = secret && group.encode(group.multiplyBase(secret))
    if (!own || !equalBytes(own, key.publicShares[key.self - 1] ?? own.slice(1)))
      return bad('a share that is not of its key')
  }
  return interpolates(group, first) ? { kind: 'good' } : bad('shares that are of no key')
}

/** The first t public shares, and the last t. */
function interpolates(
  group: ReturnType<typeof groupOf>,
  { n, t, publicKey, publicShares }: KeyShare,
) {
  return [0, n - t].every((from) => {
    const quorum = Array.from({ length: t }, (_, i) => from + i + 1)
    const sum = quorum.reduce((total, party) => {
      const share = group.decode(publicShares[party - 1] ?? new Uint8Array()) ?? group.identity
      return group.add(total, group.multiplyPublic(share, lagrange(group, quorum, party)))
    }, group.identity)
    return equalBytes(group.encode(sum), publicKey)
  })
}

function refused(reason: string): Verdict {
  return { kind: 'refused', reason, culprits: [] }
}

function bad(what: string): Verdict {
  return { kind: 'bad', what }
}
