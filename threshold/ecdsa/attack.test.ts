import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesToBig } from '@quorate/core/bytes'
import { type Codec, decode, encode } from '@quorate/core/codec'
import { badPoints } from '../group/bad-points.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Abort, Inbound, Outbound, Outcome, Party } from '../session.ts'
import { combineEcdsa, type Combined } from './combine.ts'
import { labelOf, productSid } from './context.ts'
import { closeExtension, openExtension } from './extension.ts'
import { curveOf, type EcdsaCurveName } from './curve.ts'
import { commitTo, digestOf, messagesOf, type Product } from './messages.ts'
import { closeMultiplication, padsOf } from './multiplication.ts'
import { extendAsSender } from './extension.ts'
import { gadgetOf } from './pair.ts'
import type { EcdsaRound1 } from './round1.ts'
import { type EcdsaRound2, ecdsaRound2, partedFrom } from './round2.ts'
import { ecdsaRound3, type EcdsaResult } from './round3.ts'
import {
  at,
  closings,
  cluster,
  inboxes,
  named,
  next,
  outs,
  signTogether,
} from './testing/parties.ts'
import { bitAt } from './words.ts'

for (const curve of ['secp256k1', 'stark'] as const) attacksOn(curve)

type Closing = {
  noncePoint: Uint8Array
  view: Uint8Array
  numerator: Uint8Array
  denominator: Uint8Array
}

type Decoded<C> = C extends Codec<infer T> ? T : never

function attacksOn(curve: EcdsaCurveName): void {
  const { group } = curveOf(curve)
  const { add, fromWire: pointFrom, toWire: pointBytes, mod, multiplyBase, order } = group
  const { scalarFromBytes, scalarToBytes } = group
  const { announcement, closing, extension, product } = messagesOf(curve)

  /** Party 2 is corrupt and sees everything of its own; parties 1 and 3 follow the protocol. */
  const two = cluster(3, 2, curve)
  const three = cluster(4, 3, curve)
  const session = signTogether(two, [1, 2], 'attack')
  const another = signTogether(two, [1, 2], 'another attack')
  const wide = signTogether(three, [1, 2, 3], 'wide attack')

  describe(`on ${curve} a corrupt signer in round 1`, () => {
    it('gets no answer to a message that is malformed, missing, doubled or of another', () => {
      const honest = received(session.first, 1)
      const twice = honest.flatMap((message) => [message, message])
      for (const inbox of [[], honest.slice(1), honest.slice(0, 1), twice, renamed(honest, 3)])
        assert.deepEqual(abortOf(round2(inbox)), { reason: 'inbox', culprits: [2], burned: [] })
      for (const place of [0, 1])
        for (const body of misshapen(honest[place]?.body)) {
          const inbox = honest.map((message, i) => (i === place ? { ...message, body } : message))
          assert.deepEqual(abortOf(round2(inbox)), {
            reason: 'malformed',
            culprits: [2],
            burned: [],
          })
        }
    })

    it('cannot replay another session, and burns nobody by trying', () => {
      const replay = received(another.first, 1)
      const expected = { reason: 'round 1 digest', culprits: [2], burned: [] }
      assert.deepEqual(abortOf(round2(replay)), expected)
      const [broadcast, direct] = [received(session.first, 1)[0], replay[1]]
      assert.ok(broadcast && direct)
      assert.deepEqual(abortOf(round2([broadcast, direct])), expected)
    })

    it('burns nobody if it holds another setup of the pair', () => {
      const inbox = withAnnouncement((spoken) => ({ ...spoken, epochs: [named('older')] }))
      assert.deepEqual(abortOf(round2(inbox)), { reason: 'epoch', culprits: [], burned: [] })
      assert.deepEqual(partedFrom(at(session.first, 1).state.context, inbox), [2])
    })

    it('must announce the very extension it sends', () => {
      // All else is honest: without this check the final sid would not bind the extension.
      const inbox = withAnnouncement((spoken) => ({ ...spoken, digests: [named('nothing')] }))
      const expected = { reason: 'round 1 digest', culprits: [2], burned: [] }
      assert.deepEqual(abortOf(round2(inbox)), expected)
      for (const list of ['epochs', 'digests'] as const) {
        const longer = withAnnouncement((spoken) => ({
          ...spoken,
          [list]: [...spoken[list], ...spoken[list]],
        }))
        assert.equal(abortOf(round2(longer)).reason, 'malformed')
      }
    })

    it('burns the pair by any change of an extension it has announced', () => {
      for (const field of ['corrections', 'fold', 'proof'] as const)
        for (const change of [flipped, zeros, ones]) {
          const inbox = withExtension((message) => ({
            ...message,
            [field]: change(message[field]),
          }))
          assert.deepEqual(abortOf(round2(inbox)), burned('extension'))
        }
      const inbox = withAnnouncement((spoken) => ({ ...spoken, nonce: flipped(spoken.nonce) }))
      assert.deepEqual(abortOf(round2(inbox)), burned('extension'))
    })

    it('burns the pair by a lost bet on two bits of Δ, and gets on by a won one', () => {
      const { delta } = at(two.pairs.get(1) ?? new Map(), 2).sender
      for (let guess = 0; guess < 4; guess++) {
        const outcome = round2(
          withExtension(() => bettingExtension(at(session.first, 2).state, guess)),
        )
        if (guess === ((delta[0] ?? 0) & 3)) assert.equal(outcome.kind, 'next')
        else assert.deepEqual(abortOf(outcome), burned('extension'))
      }
    })

    it('burns together with another corrupt signer: every failed check counts', () => {
      const honest = received(wide.first, 1)
      const inbox = [2, 3].flatMap((peer) => spoil(honest, peer, wide.first))
      const outcome = ecdsaRound2(structuredClone(at(wide.first, 1).state), inbox)
      assert.deepEqual(abortOf(outcome), { reason: 'extension', culprits: [2, 3], burned: [2, 3] })
    })

    it('is found out when it announces one thing to one and another to the other', () => {
      const sent = outs(wide.first)
      const other = encode(announcement, {
        ...decode(announcement, bodyOf(sent, 2, '*')),
        commitment: named('another commitment'),
      })
      const inFirst = inboxes(sent)
      const toThree = at(inFirst, 3).map((message) =>
        message.from === 2 && message.to === '*' ? { ...message, body: other } : message,
      )
      const second = new Map([
        [1, wide.second.get(1)?.out ?? []],
        [2, wide.second.get(2)?.out ?? []],
        [3, next(ecdsaRound2(structuredClone(at(wide.first, 3).state), toThree)).out],
      ])
      const outcome = ecdsaRound3(structuredClone(at(wide.second, 1).state), at(inboxes(second), 1))
      // Nobody is burned: under two final sids the multiplications of honest pairs fail as well.
      assert.deepEqual(abortOf(outcome), { reason: 'echo', culprits: [], burned: [] })
    })
  })

  describe(`on ${curve} a corrupt signer in round 2`, () => {
    it('gets no answer to a message that is malformed, missing, doubled or of another', () => {
      const [honest] = received(session.second, 1)
      assert.ok(honest)
      for (const inbox of [
        [],
        [honest, honest],
        renamed([honest], 3),
        [{ ...honest, to: '*' }],
      ] as const)
        assert.deepEqual(abortOf(round3(inbox)), { reason: 'inbox', culprits: [2], burned: [] })
      for (const body of misshapen(honest.body))
        assert.equal(abortOf(round3([{ ...honest, body }])).reason, 'malformed')
    })

    it('cannot send what is no point or no scalar', () => {
      for (const field of ['noncePoint', 'keyPoint', 'nonceShare', 'keyShare'] as const)
        for (const bad of wrongPoints)
          assert.deepEqual(abortOf(sending({ [field]: bad })), malformed)
      for (const field of ['combined', 'difference'] as const)
        for (const bad of [order, order + 1n, 2n ** 256n - 1n])
          assert.deepEqual(abortOf(sending({ [field]: bytesOf(bad) })), malformed)
      const { masked } = sentProduct()
      for (const bad of [order, order + 1n, 2n ** 256n - 1n]) {
        const changed = masked.slice()
        changed.set(bytesOf(bad).reverse(), 96)
        assert.deepEqual(abortOf(sending({ masked: changed })), malformed)
      }
    })

    it('cannot replay another session, and burns nobody by trying', () => {
      const outcome = round3(received(another.second, 1))
      assert.deepEqual(abortOf(outcome), { reason: 'echo', culprits: [], burned: [] })
      assert.equal(abortOf(sending({ echo: flipped(sentProduct().echo) })).reason, 'echo')
    })

    it('cannot open another nonce point than it committed to', () => {
      // The whole of round 2 is honest for the nonce chosen after the others' were seen.
      const chosen = oneMore(at(session.first, 2).state.nonce)
      const late = answer(withNonce(at(session.first, 2).state, chosen))
      const expected = { reason: 'commitment', culprits: [2], burned: [] }
      assert.deepEqual(abortOf(round3(late)), expected)
      assert.deepEqual(abortOf(sending({ salt: flipped(sentProduct().salt) })), expected)
      const { noncePoint } = sentProduct()
      assert.deepEqual(abortOf(sending({ noncePoint: next33(noncePoint) })), expected)
    })

    it('burns the pair by any change of a multiplication', () => {
      for (const field of ['masked', 'combined', 'proof'] as const)
        for (const change of [flipped, zeros])
          assert.deepEqual(
            abortOf(sending({ [field]: change(sentProduct()[field]) })),
            burned('multiplication'),
          )
    })

    it('burns the pair by a lost bet on a bit of the choice, and gets on by a won one', () => {
      const { choice } = at(at(session.second, 1).state.peers, 2)
      for (let row = 0; row < 6; row++) {
        const outcome = sending(bettingProduct(row))
        if (bitAt(choice, row) === 0) assert.equal(outcome.kind, 'done')
        else assert.deepEqual(abortOf(outcome), burned('multiplication'))
      }
    })

    it('burns the pair by multiplying with another nonce than it opened', () => {
      const first = at(session.first, 2).state
      const [message] = answer(withNonce(first, oneMore(first.nonce)))
      const { noncePoint } = sentProduct()
      const body = encode(product, { ...decode(product, message?.body ?? noncePoint), noncePoint })
      assert.deepEqual(abortOf(round3(fromTwo(body))), burned('nonce product'))
    })

    it('burns the pair by multiplying with another part of the key than it shows', () => {
      const [message] = answer(withShare(at(session.first, 2).state, 1n))
      const { keyPoint } = sentProduct()
      const body = encode(product, { ...decode(product, message?.body ?? keyPoint), keyPoint })
      assert.deepEqual(abortOf(round3(fromTwo(body))), burned('key product'))
    })

    it('burns the pair by a point that its share of a product does not have', () => {
      const { nonceShare, keyShare, keyPoint } = sentProduct()
      const nonce = sending({ nonceShare: next33(nonceShare) })
      assert.deepEqual(abortOf(nonce), burned('nonce product'))
      assert.deepEqual(abortOf(sending({ keyShare: next33(keyShare) })), burned('key product'))
      assert.deepEqual(abortOf(sending({ keyPoint: next33(keyPoint) })), burned('key product'))
      assert.deepEqual(abortOf(sending({ nonceShare: keyShare })), burned('nonce product'))
    })

    it('cannot sign with another part of the key, however consistently', () => {
      const outcome = round3(answer(withShare(at(session.first, 2).state, 1n)))
      assert.deepEqual(abortOf(outcome), { reason: 'public key', culprits: [], burned: [] })
    })

    it('cannot bring the nonces to cancel', () => {
      // It would have to know the other's nonce before it commits to its own. Here it does.
      const nonce = scalarToBytes(mod(-bytesToBig(at(session.first, 1).state.nonce)))
      const { state, out } = recommitted(at(session.first, 2).state, nonce)
      const honest = at(session.first, 1)
      const inTwo = inboxes(
        new Map([
          [1, honest.out],
          [2, out],
        ]),
      )
      const mine = next(ecdsaRound2(structuredClone(honest.state), at(inTwo, 1)))
      const theirs = next(ecdsaRound2(state, at(inTwo, 2)))
      const inbox = at(
        inboxes(
          new Map([
            [1, mine.out],
            [2, theirs.out],
          ]),
        ),
        1,
      )
      assert.deepEqual(abortOf(ecdsaRound3(mine.state, inbox)), {
        reason: 'nonce',
        culprits: [],
        burned: [],
      })
    })

    it('burns together with another corrupt signer whose lie cancels its own', () => {
      // pk_2 + D and pk_3 - D still add up: only the products tell.
      const shift = multiplyBase(5n)
      const inbox = received(wide.second, 1).map((message): Inbound => {
        const given = decode(product, message.body)
        const by = message.from === 2 ? shift : group.negate(shift)
        const keyPoint = pointBytes(add(pointFrom(given.keyPoint) ?? shift, by))
        return { ...message, body: encode(product, { ...given, keyPoint }) }
      })
      const outcome = ecdsaRound3(structuredClone(at(wide.second, 1).state), inbox)
      assert.deepEqual(abortOf(outcome), {
        reason: 'key product',
        culprits: [2, 3],
        burned: [2, 3],
      })
    })
  })

  describe(`on ${curve} a corrupt signer in round 3`, () => {
    const input = { curve, publicKey: two.publicKey, digest: at(session.contexts, 1).digest }
    const combined = (change: (part: Closing) => Closing): Combined => {
      const round3 = closings(session)
      round3.set(2, encode(closing, change(decode(closing, at(round3, 2)))))
      return combineEcdsa({ ...input, round3 })
    }

    it('cannot shift its part of the signature', () => {
      for (const field of ['numerator', 'denominator'] as const)
        for (const by of [1n, order - 1n]) {
          const shift = (part: Closing): Closing => ({
            ...part,
            [field]: scalarToBytes(mod((scalarFromBytes(part[field]) ?? 0n) + by)),
          })
          assert.deepEqual(combined(shift), refused('signature'))
        }
    })

    it('cannot spoil it by a wrong difference in round 2 without being refused at the end', () => {
      const difference = scalarToBytes(mod(bytesToBig(sentProduct().difference) + 1n))
      const outcome = sending({ difference })
      assert.ok(outcome.kind === 'done' && outcome.out[0])
      const round3 = closings(session).set(1, outcome.out[0].body)
      assert.deepEqual(combineEcdsa({ ...input, round3 }), refused('signature'))
    })

    it('cannot state another nonce point, or another view', () => {
      for (const field of ['noncePoint', 'view'] as const) {
        const change = field === 'view' ? flipped : next33
        const outcome = combined((part) => ({ ...part, [field]: change(part[field]) }))
        assert.deepEqual(outcome, refused('the parties are not of one mind'))
      }
      // Not even all together: the nonce point with the other y has the same r.
      const round3 = new Map(
        [...closings(session)].map(([party, body]) => {
          const part = decode(closing, body)
          const noncePoint = pointBytes(group.negate(pointFrom(part.noncePoint) ?? group.generator))
          return [party, encode(closing, { ...part, noncePoint })]
        }),
      )
      assert.deepEqual(combineEcdsa({ ...input, round3 }), refused('signature'))
    })

    it('cannot send what is no point or no scalar', () => {
      const bad = { ok: false, reason: 'malformed', culprits: [2] }
      for (const noncePoint of wrongPoints)
        assert.deepEqual(
          combined((part) => ({ ...part, noncePoint })),
          bad,
        )
      for (const field of ['numerator', 'denominator'] as const)
        assert.deepEqual(
          combined((part) => ({ ...part, [field]: bytesOf(order) })),
          bad,
        )
      for (const body of misshapen(closings(session).get(2)))
        assert.deepEqual(combineEcdsa({ ...input, round3: closings(session).set(2, body) }), bad)
    })

    it('cannot make a signature of too few parts, of another digest or under another key', () => {
      const round3 = closings(session)
      const digest = named('another digest')
      const publicKey = three.publicKey
      assert.deepEqual(combineEcdsa({ ...input, digest, round3 }), refused('signature'))
      assert.deepEqual(combineEcdsa({ ...input, publicKey, round3 }), refused('signature'))
      round3.delete(2)
      assert.deepEqual(combineEcdsa({ ...input, round3 }), refused('too few parts'))
      assert.deepEqual(combineEcdsa({ ...input, round3: new Map() }), refused('too few parts'))
      assert.deepEqual(
        combined(() => decode(closing, at(closings(another), 2))),
        {
          ok: false,
          reason: 'the parties are not of one mind',
          culprits: [],
        },
      )
    })
  })

  const malformed: Abort = { reason: 'malformed', culprits: [2], burned: [] }
  const burned = (reason: string): Abort => ({ reason, culprits: [2], burned: [2] })
  const refused = (reason: string): Combined => ({ ok: false, reason, culprits: [] })

  const wrongPoints = badPoints(group).filter(({ length }) => length === group.wireSize)

  const flipped = (field: Uint8Array): Uint8Array =>
    field.map((byte, i) => (i === field.length - 3 ? byte ^ 8 : byte))
  const zeros = (field: Uint8Array): Uint8Array => new Uint8Array(field.length)
  const ones = (field: Uint8Array): Uint8Array => new Uint8Array(field.length).fill(255)
  const next33 = (point: Uint8Array): Uint8Array =>
    pointBytes(add(pointFrom(point) ?? multiplyBase(1n), multiplyBase(1n)))

  function oneMore(scalar: Uint8Array): Scalar {
    return scalarToBytes(mod(bytesToBig(scalar) + 1n))
  }

  function bytesOf(number: bigint): Uint8Array {
    return new Uint8Array(Buffer.from(number.toString(16).padStart(64, '0'), 'hex'))
  }

  function misshapen(body: Uint8Array = new Uint8Array()): readonly Uint8Array[] {
    const renamed = body.map((byte, i) => (i === 6 ? byte ^ 1 : byte))
    return [
      new Uint8Array(),
      body.subarray(1),
      body.subarray(0, -1),
      new Uint8Array([...body, 0]),
      renamed,
    ]
  }

  function abortOf(outcome: Outcome<unknown, unknown>): Abort {
    assert.equal(outcome.kind, 'abort')
    assert.ok(outcome.kind === 'abort')
    return outcome.abort
  }

  function received(
    round: ReadonlyMap<Party, { readonly out: readonly Outbound[] }>,
    self: Party,
  ): readonly Inbound[] {
    return at(inboxes(outs(round)), self)
  }

  function renamed(inbox: readonly Inbound[], from: Party): readonly Inbound[] {
    return inbox.map((message) => ({ ...message, from }))
  }

  function bodyOf(sent: ReadonlyMap<Party, readonly Outbound[]>, from: Party, to: Party | '*') {
    const found = at(sent, from).find((message) => message.to === to)
    assert.ok(found)
    return found.body
  }

  /** From a copy: a state itself can be taken further only once. */
  function round2(inbox: readonly Inbound[]): Outcome<EcdsaRound2, never> {
    return ecdsaRound2(structuredClone(at(session.first, 1).state), inbox)
  }

  function round3(inbox: readonly Inbound[]): Outcome<never, EcdsaResult> {
    return ecdsaRound3(structuredClone(at(session.second, 1).state), inbox)
  }

  /** Round 1 of party 2 to party 1, with another announcement. */
  function withAnnouncement(
    change: (spoken: Decoded<typeof announcement>) => Decoded<typeof announcement>,
  ): readonly Inbound[] {
    return received(session.first, 1).map((message) =>
      message.to === '*'
        ? { ...message, body: encode(announcement, change(decode(announcement, message.body))) }
        : message,
    )
  }

  /** Round 1 of party 2 to party 1, with another extension that is announced as it is. */
  function withExtension(
    change: (message: Decoded<typeof extension>) => Decoded<typeof extension>,
  ): readonly Inbound[] {
    const { first } = at(session.first, 1).state
    const direct = received(session.first, 1).find(({ to }) => to === 1)
    assert.ok(direct)
    const body = encode(extension, change(decode(extension, direct.body)))
    const announced = withAnnouncement((spoken) => ({
      ...spoken,
      digests: [digestOf(first, 2, 1, body)],
    }))
    return announced.map((message) => (message.to === 1 ? { ...message, body } : message))
  }

  /** Both messages of `peer`, the extension changed and announced as it is. */
  function spoil(
    inbox: readonly Inbound[],
    peer: Party,
    round: ReadonlyMap<Party, { readonly state: EcdsaRound1 }>,
  ): readonly Inbound[] {
    const { first, context } = at(round, peer).state
    const [broadcast, direct] = inbox.filter(({ from }) => from === peer)
    assert.ok(broadcast && direct)
    const message = decode(extension, direct.body)
    const body = encode(extension, { ...message, corrections: flipped(message.corrections) })
    const spoken = decode(announcement, broadcast.body)
    const place = context.quorum.filter((party) => party !== peer).indexOf(1)
    const digests = spoken.digests.map((digest, i) =>
      i === place ? digestOf(first, peer, 1, body) : digest,
    )
    return [
      { ...broadcast, body: encode(announcement, { ...spoken, digests }) },
      { ...direct, body },
    ]
  }

  /** Another choice in the first tree, all later values made to fit if Δ's first two bits are `guess`. */
  function bettingExtension(state: EcdsaRound1, guess: number): Decoded<typeof extension> {
    const { context, first, receiving, announced } = state
    const pair = at(context.pairs, 1)
    const { nonce } = decode(announcement, announced)
    const label = labelOf(first, pair, { receiver: 2, sender: 1 }, nonce)
    const { choice } = at(receiving, 1)
    const opened = openExtension(label, pair.receiver, choice)
    opened.corrections[0] = (opened.corrections[0] ?? 0) ^ 1
    for (let bit = 0; bit < 2; bit++)
      if (guess & (1 << bit)) opened.columns[bit * 24] = (opened.columns[bit * 24] ?? 0) ^ 1
    return closeExtension(label, choice, opened).message
  }

  function sentProduct(): Product {
    const [message] = received(session.second, 1)
    assert.ok(message)
    return decode(product, message.body)
  }

  function fromTwo(body: Uint8Array): readonly Inbound[] {
    return [{ from: 2, to: 1, body }]
  }

  function sending(change: Partial<Product>): Outcome<never, EcdsaResult> {
    return round3(fromTwo(encode(product, { ...sentProduct(), ...change })))
  }

  /** What party 2 answers to party 1's honest round 1 from another state than it announced. */
  function answer(state: EcdsaRound1): readonly Inbound[] {
    const { out } = next(ecdsaRound2(state, received(session.first, 2)))
    return out.map((message) => ({ from: 2, ...message }))
  }

  function withNonce(state: EcdsaRound1, nonce: Scalar): EcdsaRound1 {
    return { ...state, nonce, noncePoint: pointBytes(group.multiplyBaseBySecret(nonce)) }
  }

  function withShare(state: EcdsaRound1, by: bigint): EcdsaRound1 {
    const secret = scalarToBytes(mod(bytesToBig(state.context.secret) + by))
    return { ...state, context: { ...state.context, secret } }
  }

  /** Party 2's round 1 with another nonce, committed to as it should be. */
  function recommitted(
    state: EcdsaRound1,
    nonce: Scalar,
  ): { state: EcdsaRound1; out: readonly Outbound[] } {
    const noncePoint = pointBytes(group.multiplyBaseBySecret(nonce))
    const commitment = commitTo(state.first, 2, noncePoint, state.salt)
    const announced = encode(announcement, { ...decode(announcement, state.announced), commitment })
    const out = at(session.first, 2).out.map((message) =>
      message.to === '*' ? { ...message, body: announced } : message,
    )
    return { state: { ...state, nonce, noncePoint, announced }, out }
  }

  /** One unit more in the first column of a row, all later values made to fit if its bit is 0. */
  function bettingProduct(row: number): Partial<Product> {
    const { context, final, nonce, key } = at(session.second, 2).state
    const pair = at(context.pairs, 1)
    const sid = productSid(final, pair, { receiver: 1, sender: 2 })
    const [broadcast, direct] = received(session.first, 2)
    assert.ok(broadcast && direct)
    const peerNonce = decode(announcement, broadcast.body).nonce
    const { first, blinds } = at(session.first, 2).state
    const label = labelOf(first, pair, { receiver: 1, sender: 2 }, peerNonce)
    const rows = extendAsSender(label, pair.sender, decode(extension, direct.body))
    assert.ok(rows)
    const masked = sentProduct().masked.slice()
    const entry = masked.subarray(row * 96, row * 96 + 32)
    entry.set(oneMore(entry.slice().reverse()).reverse())
    const gadget = gadgetOf(curve, pair)
    const opened = { masked, pads: padsOf(curveOf(curve), sid, rows), gadget, blind: at(blinds, 1) }
    return closeMultiplication(curveOf(curve), sid, { ...opened, factors: [nonce, key] }).message
  }
}
