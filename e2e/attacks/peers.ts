import { toHex } from '@quorate/core/bytes'
import type { Packet } from '@quorate/wire/packet'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { withLyingExtension } from '@quorate/signer/testing/corrupt'
import { told, type Key } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { setUpPair, signCall, type SignCall } from '@quorate/signer/testing/signing'
import { at, attack, gone, without, type Attack, type Check, type Outcome } from './attack.ts'
import type { Cast } from './cast.ts'
import { corrupt } from './drive.ts'
import { agreed, inForce } from './rounds.ts'
import { fresh, type Stage } from './stage.ts'

/** What signers hold against each other, as the server would use it, or have it forgotten. */

const signing = (reason: string, code: string) => at('signer/ceremonies/sign.ts', reason, code)
const pairing = (reason: string, code: string) => at('signer/ceremonies/pair.ts', reason, code)
const posted = (code: string) =>
  without(at('wire/packet.ts', 'a packet is not what its sender signed', code), [code, ''])

/** Whose every word is in order but for what the attack says. */
type Open = {
  readonly stage: Stage
  readonly place: Place
  readonly drafted: Drafted
  readonly key: Key
  /** A signature of these two, as often as it is asked for. */
  readonly call: () => SignCall
  readonly digest: Uint8Array
}

/** A signature by a key of its own, with an honest signer that has a pair with the other one. */
async function opened({ stage, master }: Cast, quorum: readonly [number, number]): Promise<Open> {
  const { world } = stage
  for (const [index, ending] of await setUpPair(world, ...quorum))
    if (ending.kind !== 'finished') throw new Error(`signer ${index}: ${told(ending)}`)
  const digest = fresh()
  const { place, drafted, key } = await inForce(stage, hashing(stage, master, digest), master)
  const call = () => signCall(place, drafted, { quorum })
  return { stage, place, drafted, key, call, digest }
}

function hashing(stage: Stage, of: { readonly key: Key }, digest: Uint8Array) {
  const body = { kind: 'Hash', hash: `0x${toHex(digest)}` }
  return stage.signature(stage.admin, of, { body })
}

function outcome(...replies: readonly SessionReply[]): Outcome {
  const refusals = replies.flatMap((reply) => (reply.kind === 'packet' ? [] : [told(reply)]))
  const lastRounds = replies.length - refusals.length
  return { refusals, votes: 0, seals: 0, lastRounds, isSigned: false, changed: 0 }
}

/** The first packets of the two: what the honest one waits for, and the corrupt one has said. */
async function begun({ stage, call }: Open, [mine, theirs]: readonly [number, number]) {
  const asked = call()
  const first = packetOf(await stage.world.session(mine, asked))
  const second = packetOf(await stage.world.session(theirs, asked))
  return { asked, ceremony: first.header.ceremony, second }
}

function packetOf(reply: SessionReply): Packet {
  if (reply.kind !== 'packet') throw new Error(told(reply))
  return reply.packet
}

/** By the operator of an honest signer, which has been started anew since. */
const whileBanned = (name: string, check: Check, ask: (open: Open) => SessionCall): Attack =>
  attack(
    name,
    check,
    async (cast) => {
      const { world } = cast.stage
      const open = await opened(cast, [3, corrupt])
      const ban = (change: 'ban' | 'unban') => {
        const { store } = world.member(3)
        store.commit(() => store.peers[change](corrupt))
      }
      ban('ban')
      world.restart(3)
      const reply = await world.session(3, ask(open))
      ban('unban')
      return outcome(reply)
    },
    agreed,
  )

const bans: readonly Attack[] = [
  whileBanned(
    'has a signer sign with one that its operator has banned',
    gone(signing('banned', "if (banned.length > 0) return { kind: 'banned', peers: banned }")),
    ({ call }) => call(),
  ),
  whileBanned(
    'has a signer set up a pair with one that its operator has banned',
    gone(
      pairing(
        'banned',
        "if (store.peers.banned().includes(peer)) return { kind: 'banned', peers: [peer] }",
      ),
    ),
    ({ stage }) => pairCall(stage, 3),
  ),
]

function pairCall({ organization }: Stage, index: number) {
  return { kind: 'pair', organization, participants: [index, corrupt], nonce: fresh() } as const
}

/** Two sessions of the second signer with the corrupt one, each with a bet that is lost. */
const betting = (
  name: string,
  check: Check,
  after: (open: Open, second: SessionCall) => Promise<SessionReply>,
): Attack =>
  attack(
    name,
    check,
    async (cast) => {
      const { world, organization } = cast.stage
      const open = await opened(cast, [2, corrupt])
      const [first, second] = [await lying(open), await lying(open)]
      const lost = await world.session(2, first)
      if (lost.kind !== 'aborted' || !lost.burned.includes(corrupt)) throw new Error(told(lost))
      const reply = await after(open, second)
      const { store } = world.member(2)
      store.commit(() => store.pairs.release({ organization, peer: corrupt }))
      return outcome(reply)
    },
    agreed,
  )

async function lying(open: Open): Promise<SessionCall> {
  const { key, digest: message } = open
  const { asked: call, ceremony, second } = await begun(open, [2, corrupt])
  const lie = withLyingExtension(open.stage.world, { key, call, message }, second)
  return { kind: 'advance', ceremony, packets: [lie] }
}

const burnedAnew = 'the pair is burned: an operator must look at it'

const burns: readonly Attack[] = [
  betting(
    'bets once more on the secret of a pair, after a lost bet and a restart',
    gone(
      at(
        'signer/ceremonies/ecdsa.ts',
        'unpaired',
        '    burnPairs(signing.deps, signing.organization, outcome.abort)\n',
      ),
    ),
    ({ stage: { world }, call }) => {
      world.restart(2)
      return world.session(2, call())
    },
  ),
  betting(
    'places bets side by side, of which the first is lost',
    without(
      at('signer/ceremonies/ecdsa.ts', 'unpaired', "kept?.status !== 'usable' || !equalBytes("),
      ["kept?.status !== 'usable' || !equalBytes(kept.epoch, epoch)", 'epoch.length === 0'],
    ),
    ({ stage: { world } }, second) => world.session(2, second),
  ),
  betting(
    'sets a burned pair up anew',
    without(
      pairing('unpaired', "if (store.pairs.find({ organization, peer })?.status === 'burned')"),
      ["if (store.pairs.find({ organization, peer })?.status === 'burned')", 'if (peer === 0)'],
      [`return isBurned ? '${burnedAnew}' : undefined`, 'return undefined'],
      ['  const isBurned = store.pairs.find(of)?.status === ', '  void '],
    ),
    ({ stage }) => stage.world.session(2, pairCall(stage, 2)),
  ),
  attack(
    'sets a pair up so often that some bet on it is won in the end',
    gone(pairing('too many setups of this pair in an hour', '> setupsPerHourMax\n  )')),
    async ({ stage }) => {
      const { world, organization } = stage
      const of = { organization, peer: corrupt }
      const { store } = world.member(3)
      store.commit(() => {
        while (store.pairs.countSetup(of, Math.floor(world.now / hourMs)) < setupsPerHourMax);
      })
      return outcome(await world.session(3, pairCall(stage, 3)))
    },
    agreed,
  ),
]

const hourMs = 3_600_000
/** As many as a signer lets a pair have. */
const setupsPerHourMax = 32

/** What becomes of a packet of the second signer on its way to the first, both of them honest. */
const carrying = (
  name: string,
  check: Check,
  carry: (
    packet: Packet,
    open: Open,
    call: SignCall,
  ) => readonly Packet[] | Promise<readonly Packet[]>,
  isVariant = false,
): Attack =>
  attack(
    name,
    check,
    async (cast) => {
      const { world, organization } = cast.stage
      const open = await opened(cast, [1, 2])
      const { asked, ceremony, second } = await begun(open, [1, 2])
      const packets = await carry(second, open, asked)
      const reply = await world.session(1, { kind: 'advance', ceremony, packets })
      const { store } = world.member(1)
      const { refusals, ...rest } = outcome(reply)
      const isBurned = store.pairs.find({ organization, peer: 2 })?.status === 'burned'
      const struck = store.peers.strikes().filter(({ peer }) => peer === 2)
      const harm = [
        ...struck.map(({ reason }) => `A STRIKE against an honest signer: ${reason}`),
        ...(isBurned ? ['A BURNED PAIR of honest signers'] : []),
      ]
      return { ...rest, refusals: [...refusals, ...harm] }
    },
    { ...agreed, isVariant },
  )

const strikes: readonly Attack[] = [
  carrying(
    'has a lie of its own struck against an honest signer, and their pair burned',
    without(posted('verify(encode(signed, whole), signature)'), [
      'verify(encode(signed, whole), signature)',
      'signature',
    ]),
    (packet, { stage: { world }, key, digest: message }, call) => {
      const lie = withLyingExtension(world, { key, call, message }, packet)
      return [{ ...lie, signature: fresh(64) }]
    },
  ),
  carrying(
    'brings the word of an honest signer from another session, to have it struck',
    posted('equalBytes(head.ceremony, expected.ceremony) &&'),
    async (_, open) => [(await begun(open, [1, 2])).second],
  ),
  carrying(
    'has two signers sign two digests in one session, and one of them struck for it',
    posted('equalBytes(head.ceremony, expected.ceremony) &&'),
    async (_, { stage, key }, { nonce }) => {
      const other = await inForce(stage, hashing(stage, { key }, fresh()), { key })
      const asked = signCall(other.place, other.drafted, { quorum: [1, 2], nonce })
      return [packetOf(await stage.world.session(2, asked))]
    },
    true,
  ),
  carrying(
    'cuts a part out of what an honest signer has sent, to have it struck',
    without(posted('parts.length === mine.length ?'), [
      'parts.length === mine.length ?',
      'parts.length >= 0 ?',
    ]),
    (packet) => [{ ...packet, parts: packet.parts.map((part) => ({ ...part, body: undefined })) }],
  ),
  carrying(
    'puts other bytes into what an honest signer has sent, to have it struck',
    without(posted('equalBytes(sha256(body), hash)'), ['equalBytes(sha256(body), hash)', 'hash']),
    (packet) => [
      {
        ...packet,
        parts: packet.parts.map((part) => ({
          ...part,
          body: part.body && fresh(part.body.length),
        })),
      },
    ],
  ),
  carrying(
    'keeps back what an honest signer has sent, to have it struck',
    without(
      at(
        'signer/ceremonies/mail.ts',
        'not one packet of each participant',
        'if (packets.length !== others.length || !others.every((party) => senders.has(party)))',
      ),
      [
        'if (packets.length !== others.length || !others.every((party) => senders.has(party)))',
        'if (senders.size > others.length)',
      ],
    ),
    () => [],
  ),
  attack(
    'opens one signature so often that there is no room for others',
    gone(at('signer/ceremonies/ceremony.ts', 'busy', ' || alike >= openOfOneMax')),
    async (cast) => {
      const { stage, call } = await opened(cast, [1, 2])
      const replies: SessionReply[] = []
      for (let i = 0; i <= openOfOneMax; i++) replies.push(await stage.world.session(1, call()))
      for (const reply of replies)
        if (reply.kind === 'packet')
          await stage.world.session(1, { kind: 'close', ceremony: reply.ceremony })
      const last = replies.at(-1)
      return last === undefined ? outcome() : outcome(last)
    },
    agreed,
  ),
]

/** As many as a signer opens of one signature. */
const openOfOneMax = 8

export const peers: readonly Attack[] = [...bans, ...burns, ...strikes]
