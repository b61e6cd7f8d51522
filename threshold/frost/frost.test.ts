import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { bytesToBig, concat, fromHex, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import type { KeyShare } from '../dkg/context.ts'
import { generateShares } from '../dkg/ceremony.ts'
import { badPoints } from '../group/bad-points.ts'
import { clustersUpTo, quorumsOf } from '../group/quorums.ts'
import { frostAggregate } from '../public/aggregate.ts'
import type { Party } from '../session.ts'
import { bind, readCommitments } from './commitments.ts'
import { FrostNonces, frostCommit, nonceFrom } from './nonces.ts'
import { frostSign, type FrostSigning } from './sign.ts'
import { group } from './suite.ts'

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const message = toUtf8('a message that three parties agree on')
const nMax = Number(process.env['QUORATE_TEST_PARTIES'] ?? 5)

describe('FROST(Ed25519, SHA-512), RFC 9591, appendix E.1', () => {
  it('computes every figure of the RFC', () => checkVector(rfc9591))

  const folder = process.env['QUORATE_VECTORS']
  const files = ['frost-ed25519-vectors.json']
  for (const file of files) {
    const path = join(folder ?? '', 'frost', file)
    const present = folder !== undefined && existsSync(path)
    it(
      `computes every figure of ${file}`,
      {
        skip: present ? false : 'LEFT OUT: QUORATE_VECTORS names no folder with this file',
      },
      () => checkVector(fromFile(JSON.parse(readFileSync(path, 'utf8')))),
    )
  }
})

describe('FROST over every quorum', () => {
  for (const { n, t } of clustersUpTo(nMax))
    it(`${t} of ${n} sign, and any Ed25519 verifier takes it`, () => {
      const shares = generateShares({ group: 'ed25519', n, t }, random)
      for (const quorum of quorumsOf(n, t)) {
        const session = startSession(shares, quorum)
        const answers = session.sign()
        const result = session.aggregate(answers)
        assert.ok(result.ok)
        assert.ok(isSignature(shares, message, result.signature))
        assert.ok(!isSignature(shares, toUtf8('another message'), result.signature))
      }
    })

  it('gives share by share what noble gives', () => {
    const shares = generateShares({ group: 'ed25519', n: 5, t: 3 }, random)
    const quorum = [1, 3, 4]
    const identifier = ed25519_FROST.Identifier.fromNumber
    const pairs = new Map(
      quorum.map((party) => [party, [1n, 2n].map(() => group.randomScalar(random))]),
    )
    const session = startSession(shares, quorum, (party) => {
      const [hiding, binding] = pairs.get(party) ?? []
      assert.ok(hiding !== undefined && binding !== undefined)
      return new FrostNonces({ hiding, binding })
    })
    const list = quorum.map((party) => {
      const bytes = session.commitments.get(party) ?? new Uint8Array()
      return { identifier: identifier(party), hiding: bytes.slice(0, 32), binding: bytes.slice(32) }
    })
    const answers = session.sign()
    for (const party of quorum) {
      const share = shares[party - 1]
      assert.ok(share)
      const [hiding = 0n, binding = 0n] = pairs.get(party) ?? []
      const theirs = ed25519_FROST.signShare(
        { identifier: identifier(party), signingShare: share.secret },
        noblePackage(share),
        { hiding: group.scalarToBytes(hiding), binding: group.scalarToBytes(binding) },
        list,
        message,
      )
      assert.equal(toHex(answers.get(party) ?? new Uint8Array()), toHex(theirs))
    }
  })
})

describe('FROST nonces', () => {
  const secret = group.scalarToBytes(7n)
  const stuck = (size: number): Uint8Array => new Uint8Array(size).fill(9)

  it('sign once: the second time there is nothing to sign with', () => {
    const { quorum, shares } = pairOfThree()
    const session = startSession(shares, quorum)
    assert.ok(frostSign(session.signing(1)).ok)
    assert.deepEqual(frostSign(session.signing(1)), refusal('nonces already used'))
  })

  it('are gone after a refused attempt too', () => {
    const { quorum, shares } = pairOfThree()
    const session = startSession(shares, quorum)
    assert.ok(!frostSign({ ...session.signing(1), quorum: [1, 1] }).ok)
    assert.deepEqual(frostSign(session.signing(1)), refusal('nonces already used'))
  })

  it('are taken but once', () => {
    const nonces = new FrostNonces({ hiding: 3n, binding: 4n })
    assert.deepEqual(nonces.take(), { hiding: 3n, binding: 4n })
    assert.equal(nonces.take(), undefined)
  })

  it('show in neither JSON nor a copy', () => {
    const nonces = new FrostNonces({ hiding: 3n, binding: 4n })
    assert.deepEqual(Object.keys(nonces), ['commitment'])
    assert.deepEqual(Object.keys(structuredClone(nonces)), ['commitment'])
  })

  it('differ for another hedge even where the randomness repeats', () => {
    const commit = (hedge: string): string =>
      toHex(frostCommit({ secret, hedge: toUtf8(hedge) }, stuck).commitment)
    assert.equal(commit('boot 1, 1'), commit('boot 1, 1'))
    assert.notEqual(commit('boot 1, 1'), commit('boot 1, 2'))
  })

  it('differ for another secret, and from one another', () => {
    const of = (key: Uint8Array): Uint8Array =>
      frostCommit({ secret: key, hedge: new Uint8Array() }, stuck).commitment
    assert.notDeepEqual(of(secret), of(group.scalarToBytes(8n)))
    assert.notDeepEqual(of(secret).slice(0, 32), of(secret).slice(32))
  })
})

describe('a FROST signer refuses', () => {
  const { shares, quorum } = pairOfThree()
  const session = (): Session => startSession(shares, quorum)
  const replacing = (party: Party, bytes: Uint8Array | undefined): [Session, FrostSigning] => {
    const one = session()
    const commitments = new Map(one.commitments)
    if (bytes === undefined) commitments.delete(party)
    else commitments.set(party, bytes)
    return [one, { ...one.signing(1), commitments }]
  }

  it('a quorum out of order, with one twice, or with an index that is none', () => {
    for (const wrong of [
      [3, 1],
      [1, 1],
      [0, 1],
      [-1, 1],
      [1, 1.5],
      [1, Number.NaN],
    ])
      assert.deepEqual(
        frostSign({ ...session().signing(1), quorum: wrong }),
        refusal('quorum is not a sorted set'),
      )
  })

  it('more or fewer parties than the threshold', () => {
    const all = startSession(shares, [1, 2, 3])
    assert.deepEqual(frostSign(all.signing(1)), refusal('quorum size'))
    const alone = startSession(shares, [1])
    assert.deepEqual(frostSign(alone.signing(1)), refusal('quorum size'))
  })

  it('a party the key does not have', () => {
    const one = session()
    const commitments = new Map(
      [...one.commitments].map(([party, c]) => [party === 3 ? 4 : party, c]),
    )
    assert.deepEqual(
      frostSign({ ...one.signing(1), quorum: [1, 4], commitments }),
      refusal('unknown party'),
    )
  })

  it('a quorum without itself', () => {
    const others = startSession(shares, [2, 3])
    const [own] = shares
    assert.ok(own)
    assert.deepEqual(
      frostSign({ ...others.signing(2), keyShare: own }),
      refusal('not in the quorum'),
    )
  })

  it('a list without one of the quorum, or with one beyond it', () => {
    const [, missing] = replacing(3, undefined)
    assert.deepEqual(frostSign(missing), refusal('commitments are not those of the quorum'))
    const [one, more] = replacing(2, session().commitments.get(1))
    assert.equal(one.commitments.size, 2)
    assert.deepEqual(frostSign(more), refusal('commitments are not those of the quorum'))
  })

  it('a list in which its own commitment is not the one it made', () => {
    const [, other] = replacing(1, session().commitments.get(1))
    assert.deepEqual(frostSign(other), refusal('own commitment differs'))
    const one = session()
    const bytes = one.commitments.get(1) ?? new Uint8Array()
    const swapped = new Map(one.commitments).set(1, concat(bytes.slice(32), bytes.slice(0, 32)))
    assert.deepEqual(
      frostSign({ ...one.signing(1), commitments: swapped }),
      refusal('own commitment differs'),
    )
  })

  it('a commitment whose points are not canonical, of prime order and not the identity', () => {
    const good = session().commitments.get(3) ?? new Uint8Array()
    for (const bad of badPoints(group))
      for (const bytes of [concat(bad, good.slice(32)), concat(good.slice(0, 32), bad)]) {
        const [, signing] = replacing(3, bytes)
        assert.deepEqual(frostSign(signing), refusal('invalid commitment', [3]), toHex(bytes))
      }
  })

  it('a truncated or over-long commitment', () => {
    const good = session().commitments.get(3) ?? new Uint8Array()
    for (const bytes of [good.slice(1), good.slice(0, 32), concat(good, Uint8Array.of(0))]) {
      const [, signing] = replacing(3, bytes)
      assert.deepEqual(frostSign(signing), refusal('invalid commitment', [3]))
    }
  })

  it('a commitment of another party that makes the sum of all the identity', () => {
    const pair = { hiding: 5n, binding: 6n }
    const one = startSession(shares, quorum, () => new FrostNonces(pair))
    // −D and −E would cancel D and E were there no binding factors: with them nothing cancels.
    const bytes = one.commitments.get(1) ?? new Uint8Array()
    const negated = [bytes.slice(0, 32), bytes.slice(32)].map((half) => {
      const point = group.decode(half)
      assert.ok(point)
      return group.encode(group.negate(point))
    })
    const commitments = new Map(one.commitments).set(3, concat(...negated))
    const read = readCommitments(quorum, commitments)
    assert.ok(read.ok)
    const { groupCommitment } = bind(read.list, { publicKey: new Uint8Array(32), message })
    assert.ok(!group.equal(groupCommitment, group.identity))
  })

  it('a key share that is no scalar, or zero', () => {
    for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      const signing = session().signing(1)
      assert.deepEqual(
        frostSign({ ...signing, keyShare: { ...signing.keyShare, secret } }),
        refusal('unusable key share'),
      )
    }
  })
})

describe('the FROST aggregate', () => {
  const { shares, quorum } = pairOfThree()

  it('names who sent a share that is wrong, in every way in which it can be', () => {
    const session = startSession(shares, quorum)
    const answers = session.sign()
    const good = answers.get(3) ?? new Uint8Array()
    const order = fromHex(group.order.toString(16).padStart(64, '0')).reverse()
    const flipped = good.slice()
    flipped[0] = (flipped[0] ?? 0) ^ 1
    const shifted = group.scalarToBytes(group.mod((group.scalarFromBytes(good) ?? 0n) + 1n))
    const another = startSession(shares, quorum).sign().get(3) ?? new Uint8Array()
    const wrong = [
      flipped, // bit flip
      new Uint8Array(32), // zero
      order, // q
      new Uint8Array(32).fill(255),
      shifted,
      good.slice(1), // truncated
      concat(good, Uint8Array.of(0)), // over-long
      answers.get(1) ?? new Uint8Array(), // another party's
      another, // of another session
    ]
    for (const share of wrong)
      assert.deepEqual(session.aggregate(new Map(answers).set(3, share)), {
        ok: false,
        culprits: [3],
      })
  })

  it('names those who sent nothing', () => {
    const session = startSession(shares, quorum)
    const answers = new Map(session.sign())
    answers.delete(1)
    assert.deepEqual(session.aggregate(answers), { ok: false, culprits: [1] })
  })

  it('names the one who signed with the share of another key, and both if both did', () => {
    const session = startSession(shares, quorum)
    const strange = generateShares({ group: 'ed25519', n: 3, t: 2 }, random)
    const signWith = (party: Party): Uint8Array => {
      const signing = session.signing(party)
      const secret = strange[party - 1]?.secret ?? new Uint8Array()
      const answer = frostSign({ ...signing, keyShare: { ...signing.keyShare, secret } })
      assert.ok(answer.ok)
      return answer.share
    }
    const third = frostSign(session.signing(1))
    assert.ok(third.ok)
    const answers = new Map([
      [1, third.share],
      [3, signWith(3)],
    ])
    assert.deepEqual(session.aggregate(answers), { ok: false, culprits: [3] })
  })

  it('gives nothing for another message than the one signed', () => {
    const session = startSession(shares, quorum)
    const result = session.aggregate(session.sign(), { message: toUtf8('another message') })
    assert.deepEqual(result, { ok: false, culprits: quorum })
  })

  it('gives nothing to a receiver of an equivocated commitment', () => {
    const session = startSession(shares, quorum)
    const other = startSession(shares, quorum).commitments.get(3) ?? new Uint8Array()
    // Party 3 shows party 1 one commitment and everybody else the other.
    const split = new Map(session.commitments).set(3, other)
    const first = frostSign({ ...session.signing(1), commitments: split })
    const third = frostSign(session.signing(3))
    assert.ok(first.ok && third.ok)
    const result = session.aggregate(
      new Map([
        [1, first.share],
        [3, third.share],
      ]),
    )
    assert.ok(!result.ok)
  })

  it('blames nobody where every share is right and the key is not theirs', () => {
    const session = startSession(shares, quorum)
    const result = session.aggregate(session.sign(), {
      publicKey: generateShares({ group: 'ed25519', n: 2, t: 2 }, random)[0]?.publicKey ?? message,
    })
    assert.ok(!result.ok)
  })
})

type Session = ReturnType<typeof startSession>

function startSession(
  shares: readonly KeyShare[],
  quorum: readonly Party[],
  noncesOf: (party: Party) => FrostNonces = (party) =>
    frostCommit(
      { secret: shares[party - 1]?.secret ?? new Uint8Array(), hedge: toUtf8('test') },
      random,
    ).nonces,
) {
  const nonces = new Map(quorum.map((party) => [party, noncesOf(party)]))
  const commitments = new Map([...nonces].map(([party, { commitment }]) => [party, commitment]))
  const signing = (party: Party): FrostSigning => {
    const keyShare = shares[party - 1]
    const own = nonces.get(party)
    assert.ok(keyShare && own)
    return { keyShare, quorum, commitments, message, nonces: own }
  }
  return {
    commitments,
    signing,
    sign: (): ReadonlyMap<Party, Uint8Array> =>
      new Map(
        quorum.map((party) => {
          const answer = frostSign(signing(party))
          assert.ok(answer.ok)
          return [party, answer.share]
        }),
      ),
    aggregate: (answers: ReadonlyMap<Party, Uint8Array>, other = {}) =>
      frostAggregate({
        publicKey: shares[0]?.publicKey ?? new Uint8Array(),
        publicShares: new Map(shares[0]?.publicShares.map((point, i) => [i + 1, point])),
        quorum,
        commitments,
        message,
        shares: answers,
        ...other,
      }),
  }
}

function pairOfThree(): { shares: readonly KeyShare[]; quorum: readonly Party[] } {
  return { shares: generateShares({ group: 'ed25519', n: 3, t: 2 }, random), quorum: [1, 3] }
}

function refusal(reason: string, culprits: readonly Party[] = []): object {
  return { ok: false, reason, culprits }
}

function isSignature(
  shares: readonly KeyShare[],
  signed: Uint8Array,
  signature: Uint8Array,
): boolean {
  const x = toBase64url(shares[0]?.publicKey ?? new Uint8Array())
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return verify(null, signed, key, signature)
}

function noblePackage(share: KeyShare): Parameters<typeof ed25519_FROST.signShare>[1] {
  const identifier = ed25519_FROST.Identifier.fromNumber
  return {
    signers: { min: share.t, max: share.n },
    commitments: [share.publicKey, ...share.publicShares.slice(1, share.t)],
    verifyingShares: Object.fromEntries(
      share.publicShares.map((point, i) => [identifier(i + 1), point]),
    ),
  }
}

type Vector = {
  readonly message: string
  readonly publicKey: string
  readonly t: number
  readonly n: number
  readonly signers: readonly {
    readonly party: Party
    readonly secret: string
    readonly hidingRandomness: string
    readonly bindingRandomness: string
    readonly hidingNonce: string
    readonly bindingNonce: string
    readonly hidingCommitment: string
    readonly bindingCommitment: string
    readonly bindingFactor: string
    readonly share: string
  }[]
  readonly signature: string
}

function checkVector(vector: Vector): void {
  const { signers } = vector
  const quorum = signers.map(({ party }) => party)
  const nonces = new Map(
    signers.map((signer) => {
      const secret = fromHex(signer.secret)
      const hiding = nonceFrom(fromHex(signer.hidingRandomness), secret)
      const binding = nonceFrom(fromHex(signer.bindingRandomness), secret)
      assert.equal(toHex(group.scalarToBytes(hiding)), signer.hidingNonce)
      assert.equal(toHex(group.scalarToBytes(binding)), signer.bindingNonce)
      return [signer.party, new FrostNonces({ hiding, binding })]
    }),
  )
  const commitments = new Map([...nonces].map(([party, { commitment }]) => [party, commitment]))
  const message = fromHex(vector.message)
  const publicKey = fromHex(vector.publicKey)
  const read = readCommitments(quorum, commitments)
  assert.ok(read.ok)
  const { factors } = bind(read.list, { publicKey, message })
  const shares = new Map<Party, Uint8Array>()
  for (const signer of signers) {
    const { party } = signer
    const own = nonces.get(party)
    assert.ok(own)
    assert.equal(toHex(own.commitment), signer.hidingCommitment + signer.bindingCommitment)
    assert.equal(toHex(group.scalarToBytes(factors.get(party) ?? 0n)), signer.bindingFactor)
    const keyShare = {
      self: party,
      n: vector.n,
      t: vector.t,
      secret: fromHex(signer.secret),
      publicKey,
    }
    const answer = frostSign({ keyShare, quorum, commitments, message, nonces: own })
    assert.ok(answer.ok)
    assert.equal(toHex(answer.share), signer.share)
    shares.set(party, answer.share)
  }
  const publicShares = new Map(
    signers.map(({ party, secret }) => [
      party,
      group.encode(group.multiplyBase(bytesToBig(fromHex(secret).reverse()))),
    ]),
  )
  const result = frostAggregate({ publicKey, publicShares, quorum, commitments, message, shares })
  assert.ok(result.ok)
  assert.equal(toHex(result.signature), vector.signature)
}

/** RFC 9591, appendix E.1, "FROST(Ed25519, SHA-512)": two of three sign "test". */
const rfc9591: Vector = {
  message: '74657374',
  publicKey: '15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673',
  t: 2,
  n: 3,
  signers: [
    {
      party: 1,
      secret: '929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509',
      hidingRandomness: '06894e04ee4aceec8619d5f6a0a180e2f47194d2ac306cba586b555e7c48d765',
      bindingRandomness: '40d6f879ff22e22409f7d808fed81f37118e7d3e4af71c0f44c60207553bcbce',
      hidingNonce: 'ef6599dea4010581a72b3018c37c29a4341d7cab0773e8687ca74dcf14009701',
      bindingNonce: '2baadfa0c69aa60d517ad4751de372a73f9d89cfc39026601f18458cdec12605',
      hidingCommitment: '9b116f12589591a7e23fe8048059ab10ab48e67739e7a2fb3890f61a7999478c',
      bindingCommitment: 'c39b66b7dfccb122da24f13587f9a08c4347cae70046ca15169adf90ba65854d',
      bindingFactor: 'ff960a65374e216a0918729b153466016664fa980d409bc3f308daa7acb30d0d',
      share: '60997f0142e43e8005027fe5ab7447dac00d22c2d7ddd9571a02613ba7d81c08',
    },
    {
      party: 3,
      secret: 'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02',
      hidingRandomness: 'fa5d950626782aade9e33fa781376d4888c2d1de7c37518bc248eb818ed0cdde',
      bindingRandomness: '7459a4d14ded0e365b085271be8dc6600d5b88f3978a2174297ffa32001a5afc',
      hidingNonce: '80f8d9a4b8f9366e1a0b618107c907cd3ee29fa9bb40b4691cc1bde696240005',
      bindingNonce: '2610b664a5a187b4855e87d2ff485bebdf043dc2f161fcd4854cd01dc0276404',
      hidingCommitment: 'e679a2a971748ccfaabead4dbe8ac1def61275c186c79d471e1e45091ad1e687',
      bindingCommitment: 'b2a942478453fabb6bd3181c56ba657413447b4136e1daea2484d396d1a516b3',
      bindingFactor: '279d48ec56f16d234c09ea62f3d02ab776ee38e03f66b20f939f1316e13df10f',
      share: '79390e78bc59699c7af831f8f5fb478ec871a85f561a8641b5670ac4443f720f',
    },
  ],
  signature:
    '154fb694ee7fcb37bf2381d94488c2a84b03b3352ad085feca81ad26d45852b7ecfe971ce4da95c4a95db93ac376b053897fca212ef85f99cf696bffeb178f07',
}

type VectorFile = {
  readonly config: { readonly MAX_PARTICIPANTS: string; readonly MIN_PARTICIPANTS: string }
  readonly inputs: {
    readonly verifying_key_key: string
    readonly message: string
    readonly participant_shares: readonly { identifier: number; participant_share: string }[]
  }
  readonly round_one_outputs: { readonly outputs: readonly Record<string, string | number>[] }
  readonly round_two_outputs: {
    readonly outputs: readonly { identifier: number; sig_share: string }[]
  }
  readonly final_output: { readonly sig: string }
}

function fromFile({ config, inputs, ...rounds }: VectorFile): Vector {
  const secrets = new Map(inputs.participant_shares.map((s) => [s.identifier, s.participant_share]))
  const answers = new Map(rounds.round_two_outputs.outputs.map((s) => [s.identifier, s.sig_share]))
  return {
    message: inputs.message,
    publicKey: inputs.verifying_key_key,
    t: Number(config.MIN_PARTICIPANTS),
    n: Number(config.MAX_PARTICIPANTS),
    signers: rounds.round_one_outputs.outputs.map((output) => {
      const party = Number(output['identifier'])
      const figure = (name: string): string => String(output[name])
      return {
        party,
        secret: secrets.get(party) ?? '',
        hidingRandomness: figure('hiding_nonce_randomness'),
        bindingRandomness: figure('binding_nonce_randomness'),
        hidingNonce: figure('hiding_nonce'),
        bindingNonce: figure('binding_nonce'),
        hidingCommitment: figure('hiding_nonce_commitment'),
        bindingCommitment: figure('binding_nonce_commitment'),
        bindingFactor: figure('binding_factor'),
        share: answers.get(party) ?? '',
      }
    }),
    signature: rounds.final_output.sig,
  }
}
