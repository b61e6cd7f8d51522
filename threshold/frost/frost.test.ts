import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { concat, fromHex, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { KeyShare } from '../dkg/context.ts'
import { generateShares } from '../dkg/ceremony.ts'
import { badPoints } from '../group/bad-points.ts'
import { clustersUpTo, quorumsOf } from '../group/quorums.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import { seeded } from '../ecdsa/testing/parties.ts'
import { frostAggregate } from '../public/aggregate.ts'
import { frostSizes } from '../public/sizes.ts'
import type { Party } from '../session.ts'
import { bind, readCommitments } from './commitments.ts'
import { FrostNonces, frostCommit } from './nonces.ts'
import { frostSign, type FrostSigning } from './sign.ts'
import { ed25519Suite } from './suite.ts'
import { checkVector, fromFile, type Vector } from './testing/vectors.ts'

const { group } = ed25519Suite
const tested = { suite: ed25519Suite, sign: frostSign, aggregate: frostAggregate }

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const message = toUtf8('a message that three parties agree on')
const nMax = Number(process.env['QUORATE_TEST_PARTIES'] ?? 5)

describe('FROST(Ed25519, SHA-512), RFC 9591, appendix E.1', () => {
  it('computes every figure of the RFC', () => checkVector(tested, rfc9591))

  const folder = process.env['QUORATE_VECTORS']
  // Of an earlier draft's randomness, with identifiers beyond one byte in the second.
  for (const file of ['frost-ed25519-vectors.json', 'frost-ed25519-vectors-big-identifier.json']) {
    const path = join(folder ?? '', 'frost', file)
    const present = folder !== undefined && existsSync(path)
    it(
      `computes every figure of ${file}`,
      {
        skip: present ? false : 'LEFT OUT: QUORATE_VECTORS names no folder with this file',
      },
      () => checkVector(tested, fromFile(JSON.parse(readFileSync(path, 'utf8')))),
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
      quorum.map((party) => [party, [1n, 2n].map(() => randomNumber(group, random))]),
    )
    const session = startSession(shares, quorum, (party) => {
      const [hiding, binding] = pairs.get(party) ?? []
      assert.ok(hiding !== undefined && binding !== undefined)
      return noncesFrom(hiding, binding)
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
      assert.equal(toHex(answers.get(party)?.subarray(32) ?? new Uint8Array()), toHex(theirs))
    }
  })
})

describe('FROST binding factors', () => {
  const { shares, quorum } = pairOfThree()

  it('keeps a commitment opposite to another from cancelling it', () => {
    const one = startSession(shares, quorum, () => noncesFrom(5n, 6n))
    const bytes = one.commitments.get(1) ?? new Uint8Array()
    const negated = [bytes.slice(0, 32), bytes.slice(32)].map((half) => {
      const point = group.decode(half)
      assert.ok(point)
      return group.encode(group.negate(point))
    })
    const commitments = new Map(one.commitments).set(3, concat(...negated))
    const read = readCommitments(group, quorum, commitments)
    assert.ok(read.ok)
    const { groupCommitment } = bind(ed25519Suite, read.list, {
      publicKey: new Uint8Array(32),
      message,
    })
    assert.ok(!group.equal(groupCommitment, group.identity))
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
    const nonces = noncesFrom(3n, 4n)
    assert.deepEqual(nonces.take(), {
      hiding: group.scalarToBytes(3n),
      binding: group.scalarToBytes(4n),
    })
    assert.equal(nonces.take(), undefined)
  })

  it('are overwritten once they are of no more use, be it that nothing was signed', () => {
    const { quorum, shares } = pairOfThree()
    const ends: readonly ((signing: FrostSigning) => unknown)[] = [
      frostSign,
      (signing) => frostSign({ ...signing, quorum: [1, 1] }),
      ({ nonces }) => nonces.forget(),
    ]
    for (const end of ends) {
      const pair = { hiding: group.scalarToBytes(3n), binding: group.scalarToBytes(4n) }
      const session = startSession(shares, quorum, () => new FrostNonces(group, pair))
      end(session.signing(1))
      assert.deepEqual(pair, { hiding: new Uint8Array(32), binding: new Uint8Array(32) })
    }
  })

  it('show in neither JSON nor a copy', () => {
    const nonces = noncesFrom(3n, 4n)
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

  it('names nobody where each share is right and there are too few of them', () => {
    const [own] = shares
    assert.ok(own)
    const session = startSession(shares, [1])
    const answer = frostSign({ ...session.signing(1), keyShare: { ...own, t: 1 } })
    assert.ok(answer.ok)
    const answers = new Map([[1, answer.share]])
    assert.deepEqual(session.aggregate(answers), { ok: false, culprits: [] })
  })

  it('names who sent a share that is wrong, in every way in which it can be', () => {
    const session = startSession(shares, quorum)
    const answers = session.sign()
    const good = answers.get(3) ?? new Uint8Array()
    const order = fromHex(group.order.toString(16).padStart(64, '0')).reverse()
    const R = good.slice(0, 32)
    const flipped = good.slice()
    flipped[32] = (flipped[32] ?? 0) ^ 1
    const share = group.scalarFromBytes(good.slice(32)) ?? 0n
    const shifted = concat(R, group.scalarToBytes(group.mod(share + 1n)))
    const another = startSession(shares, quorum).sign().get(3) ?? new Uint8Array()
    const wrong = [
      flipped, // bit flip
      concat(R, new Uint8Array(32)), // zero
      concat(R, order), // q
      concat(R, new Uint8Array(32).fill(255)),
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

  it('takes the first one’s word for R, and names who has lied about it', () => {
    const session = startSession(shares, quorum)
    const answers = session.sign()
    const other = startSession(shares, quorum).sign().get(1)?.slice(0, 32) ?? message
    for (const R of [other, group.encode(group.generator), new Uint8Array(32)]) {
      const lied = (party: Party) =>
        new Map(answers).set(party, concat(R, answers.get(party)?.slice(32) ?? message))
      assert.deepEqual(session.aggregate(lied(1)), { ok: false, culprits: [1] })
      const made = session.aggregate(lied(3))
      assert.ok(made.ok && isSignature(shares, message, made.signature))
    }
  })

  it('is of a sorted quorum, each of whom has made a commitment', () => {
    const session = startSession(shares, quorum)
    const answers = session.sign()
    const nobody = { ok: false, culprits: [] }
    assert.deepEqual(session.aggregate(answers, { quorum: [3, 1] }), nobody)
    assert.deepEqual(session.aggregate(answers, { quorum: [1, 1] }), nobody)
    const [one = message] = session.commitments.values()
    assert.deepEqual(session.aggregate(answers, { commitments: new Map([[1, one]]) }), nobody)
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

  it('gives nothing under another key than the one signed for', () => {
    const session = startSession(shares, quorum)
    const result = session.aggregate(session.sign(), {
      publicKey: generateShares({ group: 'ed25519', n: 2, t: 2 }, random)[0]?.publicKey ?? message,
    })
    assert.ok(!result.ok)
  })
})

/**
 * Two of three, with the randomness of `seeded`. The RFC gives the figures of a signature; how nonces
 * are drawn and hedged, and what is on the wire, is ours.
 */
describe('the bytes of FROST', () => {
  it('are the known answer', () => {
    const shares = generateShares({ group: 'ed25519', n: 3, t: 2 }, seeded('key'))
    const session = startSession(shares, [1, 3], (party) => {
      const secret = shares[party - 1]?.secret ?? new Uint8Array()
      return frostCommit({ secret, hedge: toUtf8('hedge') }, seeded(`party ${party}`)).nonces
    })
    const answers = session.sign()
    const result = session.aggregate(answers)
    assert.ok(result.ok)
    const sizes = [...session.commitments.values(), ...answers.values(), result.signature]
    assert.deepEqual(new Set(sizes.map(({ length }) => length)), new Set(Object.values(frostSizes)))
    assert.deepEqual(
      {
        publicKey: toHex(shares[0]?.publicKey ?? new Uint8Array()),
        commitments: toHex(sha256(...session.commitments.values())),
        shares: toHex(sha256(...answers.values())),
        signature: toHex(sha256(result.signature)),
      },
      {
        publicKey: 'a879869a7499499b5abae26560cfcc661d2d7e027d6f62f802370063ddec4672',
        commitments: 'ead58677595134a4ba26aa3afd9de42fdc182dfd4215218c293c80b26aa7c520',
        shares: '75c2b6f65513816ae5b1a2063169808f9d397420cd2424afe30c86ea4ebe9df4',
        signature: 'b18b7881f80da67d7ba43b8aafa50557a05f437cfdb4dae7ff8a875fdbbc3f9d',
      },
    )
    assert.ok(isSignature(shares, message, result.signature))
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
      hidingRandomness: '0fd2e39e111cdc266f6c0f4d0fd45c947761f1f5d3cb583dfcb9bbaf8d4c9fec',
      bindingRandomness: '69cd85f631d5f7f2721ed5e40519b1366f340a87c2f6856363dbdcda348a7501',
      hidingNonce: '812d6104142944d5a55924de6d49940956206909f2acaeedecda2b726e630407',
      bindingNonce: 'b1110165fc2334149750b28dd813a39244f315cff14d4e89e6142f262ed83301',
      hidingCommitment: 'b5aa8ab305882a6fc69cbee9327e5a45e54c08af61ae77cb8207be3d2ce13de3',
      bindingCommitment: '67e98ab55aa310c3120418e5050c9cf76cf387cb20ac9e4b6fdb6f82a469f932',
      bindingFactor: 'f2cb9d7dd9beff688da6fcc83fa89046b3479417f47f55600b106760eb3b5603',
      share: '001719ab5a53ee1a12095cd088fd149702c0720ce5fd2f29dbecf24b7281b603',
    },
    {
      party: 3,
      secret: 'd3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02',
      hidingRandomness: '86d64a260059e495d0fb4fcc17ea3da7452391baa494d4b00321098ed2a0062f',
      bindingRandomness: '13e6b25afb2eba51716a9a7d44130c0dbae0004a9ef8d7b5550c8a0e07c61775',
      hidingNonce: 'c256de65476204095ebdc01bd11dc10e57b36bc96284595b8215222374f99c0e',
      bindingNonce: '243d71944d929063bc51205714ae3c2218bd3451d0214dfb5aeec2a90c35180d',
      hidingCommitment: 'cfbdb165bd8aad6eb79deb8d287bcc0ab6658ae57fdcc98ed12c0669e90aec91',
      bindingCommitment: '7487bc41a6e712eea2f2af24681b58b1cf1da278ea11fe4e8b78398965f13552',
      bindingFactor: 'b087686bf35a13f3dc78e780a34b0fe8a77fef1b9938c563f5573d71d8d7890f',
      share: 'bd86125de990acc5e1f13781d8e32c03a9bbd4c53539bbc106058bfd14326007',
    },
  ],
  signature:
    '36282629c383bb820a88b71cae937d41f2f2adfcc3d02e55507e2fb9e2dd3cbebd9d2b0844e49ae0f3fa935161e1419aab7b47d21a37ebeae1f17d4987b3160b',
}

function noncesFrom(hiding: bigint, binding: bigint): FrostNonces {
  const { scalarToBytes } = group
  return new FrostNonces(group, { hiding: scalarToBytes(hiding), binding: scalarToBytes(binding) })
}
