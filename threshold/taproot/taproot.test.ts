import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { schnorr, schnorr_FROST, secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { seeded } from '../dkg/attacker.ts'
import { generateShares } from '../dkg/ceremony.ts'
import type { KeyShare } from '../dkg/context.ts'
import { bind, readCommitments } from '../frost/commitments.ts'
import { FrostNonces, type NoncePair } from '../frost/nonces.ts'
import { badPoints } from '../group/bad-points.ts'
import { clustersUpTo, fewQuorumsOf, quorumsOf } from '../group/quorums.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import { verifySchnorr } from '../public/schnorr.ts'
import { outputKeyOf } from '../public/taproot.ts'
import type { Party } from '../session.ts'
import { type Birth, signingKeyOf, tweaked } from './key.ts'
import { taprootCommit, taprootSign, type TaprootSigning } from './sign.ts'
import { isOdd, taprootSuite } from './suite.ts'
import { dealt, publicOf, shareOf, type Session, startSession } from './testing/parties.ts'

const { group } = taprootSuite
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const digest = sha256(toUtf8('a transaction that three parties agree on'))
const noScripts = new Uint8Array()
const root = sha256(toUtf8('a script tree'))
const spends: readonly { readonly birth: Birth; readonly merkleRoot: Uint8Array | undefined }[] = [
  { birth: 'taproot', merkleRoot: noScripts },
  { birth: 'taproot', merkleRoot: root },
  { birth: 'plain', merkleRoot: undefined },
]
/** All 219 quorums of 2 ≤ t ≤ n ≤ 7: `npm run test:quorums`. */
const quorumsToTest = process.env['QUORATE_TEST_QUORUMS'] === 'all' ? quorumsOf : fewQuorumsOf

describe('Taproot signatures over quorums', () => {
  for (const { n, t } of clustersUpTo(7))
    it(`${t} of ${n} sign, and noble’s verifier takes it`, () => {
      const shares = generateShares({ group: 'secp256k1', n, t }, random)
      for (const quorum of quorumsToTest(n, t))
        for (const spend of spends) {
          const session = startSession({ shares, quorum, message: digest, ...spend }, random)
          const made = session.aggregate(session.sign())
          assert.ok(made.ok)
          const output = outputKeyOf({ ...publicOf(shares), ...spend })
          assert.ok(output)
          assert.deepEqual(output, textbookOutput(shareOf(shares, 1).publicKey, spend.merkleRoot))
          assert.ok(schnorr.verify(made.signature, digest, output))
          assert.ok(!verifySchnorr(output, sha256(digest), made.signature))
        }
    })

  it('signs messages of no bytes and of many', () => {
    const shares = generateShares({ group: 'secp256k1', n: 3, t: 2 }, random)
    for (const size of [0, 1, 31, 33, 1000]) {
      const message = random(size)
      const spend = { birth: 'plain', merkleRoot: undefined } as const
      const session = startSession({ shares, quorum: [2, 3], message, ...spend }, random)
      const made = session.aggregate(session.sign())
      assert.ok(made.ok)
      assert.ok(schnorr.verify(made.signature, message, shareOf(shares, 1).publicKey.slice(1)))
    }
  })
})

describe('Taproot share by share', () => {
  const identifier = schnorr_FROST.Identifier.fromNumber
  const quorum = [1, 3, 4]

  it('is what noble computes, whatever the parities of key, output key and nonce', () => {
    const seen = new Set<string>()
    // Eight ways, each as likely as the others: 200 keys miss one in 2^35 runs.
    for (let i = 0; i < 200 && seen.size < 8; i++) {
      const shares = dealt(
        { secret: group.scalarToBytes(randomNumber(group, random)), n: 4, t: 3 },
        random,
      )
      const { publicKey } = shareOf(shares, 1)
      const spend = { birth: 'taproot', merkleRoot: i % 2 === 0 ? noScripts : root } as const
      const pairs = new Map(
        quorum.map((party) => {
          const [hiding, binding] = [group.randomSecret(random), group.randomSecret(random)]
          return [party, { hiding, binding }]
        }),
      )
      const noncesOf = (party: Party): FrostNonces =>
        new FrostNonces(group, copyOf(pairs.get(party)))
      const session = startSession({ shares, quorum, message: digest, ...spend }, random, noncesOf)
      seen.add(
        `${publicKey[0]} ${isOutputOdd(publicKey, spend.merkleRoot)} ${isNonceOdd(session, { publicKey, ...spend })}`,
      )
      const answers = session.sign()
      const list = quorum.map((party) => {
        const bytes = session.commitments.get(party) ?? noScripts
        return {
          identifier: identifier(party),
          hiding: bytes.slice(0, 33),
          binding: bytes.slice(33),
        }
      })
      const tweak = textbookTweak(publicKey, spend.merkleRoot)
      for (const party of quorum) {
        const { hiding, binding } = copyOf(pairs.get(party))
        const theirs = schnorr_FROST.signShare(
          {
            identifier: identifier(party),
            signingShare: tweakSecret(shareOf(shares, party), tweak),
          },
          noblePackage(shares, tweak),
          { hiding, binding },
          list,
          digest,
        )
        assert.deepEqual(answers.get(party)?.slice(33), theirs)
      }
    }
    assert.equal(seen.size, 8)
  })

  it('has the output key and the shares that noble’s key generation tweaks on its own', () => {
    for (let i = 0; i < 4; i++) {
      const { untweaked, theirs } = nobleKeyGeneration()
      const spend = { birth: 'taproot', merkleRoot: noScripts } as const
      const session = startSession(
        { shares: untweaked, quorum: [1, 2], message: digest, ...spend },
        random,
      )
      const made = session.aggregate(session.sign())
      assert.ok(made.ok)
      const [key] = theirs
      assert.ok(key)
      assert.ok(
        schnorr_FROST.verify(made.signature, digest, key.public.commitments[0] ?? noScripts),
      )
      const tweak = textbookTweak(shareOf(untweaked, 1).publicKey, noScripts)
      assert.deepEqual(
        theirs.map(({ secret }) => secret.signingShare),
        untweaked.map((share) => tweakSecret(share, tweak)),
      )
      assert.deepEqual(
        outputKeyOf({ ...publicOf(untweaked), ...spend }),
        key.public.commitments[0]?.slice(1),
      )
    }
  })
})

describe('a Taproot tweak', () => {
  const { publicKey } = shareOf(pairOfThree(), 1)
  const point = group.decode(publicKey) ?? group.identity

  it('is refused and not reduced from the order of the group on', () => {
    for (const value of [group.order, group.order + 1n, 2n ** 256n - 1n]) {
      const bytes = fromHex(value.toString(16).padStart(64, '0'))
      assert.deepEqual(tweaked(point, bytes), refusal('tweak out of range'))
    }
    assert.ok(tweaked(point, group.scalarToBytes(group.order - 1n)).ok)
    assert.deepEqual(tweaked(point, new Uint8Array(31)), refusal('tweak out of range'))
  })

  it('is refused where nothing of the key would be left', () => {
    for (const secret of [7n, group.order - 7n]) {
      const own = group.multiplyBase(secret)
      const even = isOdd(own) ? group.mod(-secret) : secret
      const opposite = group.scalarToBytes(group.mod(-even))
      assert.deepEqual(tweaked(own, opposite), refusal('identity output key'))
    }
  })

  it('is of a root of 32 bytes or of none, and of a key that is a point', () => {
    const spend = { publicKey, birth: 'taproot' } as const
    for (const merkleRoot of [root.slice(1), concat(root, root), Uint8Array.of(0)])
      assert.deepEqual(signingKeyOf({ ...spend, merkleRoot }), refusal('merkle root'))
    for (const bad of badPoints(group))
      assert.deepEqual(
        signingKeyOf({ ...spend, publicKey: bad, merkleRoot: root }),
        refusal('public key'),
      )
  })

  it('is not left out for a taproot key, nor put on a plain one', () => {
    const taproot = { publicKey, birth: 'taproot', merkleRoot: undefined } as const
    assert.deepEqual(signingKeyOf(taproot), refusal('a taproot key signs tweaked only'))
    assert.equal(outputKeyOf(taproot), undefined)
    for (const merkleRoot of [noScripts, root]) {
      const plain = { publicKey, birth: 'plain', merkleRoot } as const
      assert.deepEqual(signingKeyOf(plain), refusal('a plain key has no script tree'))
      assert.equal(outputKeyOf(plain), undefined)
    }
  })
})

describe('a Taproot signer refuses', () => {
  const shares = pairOfThree()
  const session = (): Session =>
    startSession(
      { shares, quorum: [1, 3], message: digest, birth: 'taproot', merkleRoot: noScripts },
      random,
    )

  it('to sign twice with the same nonces, also after any refusal', () => {
    const refusing: readonly Partial<TaprootSigning>[] = [
      {},
      { merkleRoot: undefined },
      { merkleRoot: Uint8Array.of(1) },
      { birth: 'plain' },
      { quorum: [3, 1] },
      { keyShare: { ...shareOf(shares, 1), secret: new Uint8Array(32) } },
      { keyShare: { ...shareOf(shares, 1), publicKey: new Uint8Array(33) } },
    ]
    for (const change of refusing) {
      const signing = session().signing(1)
      assert.equal(taprootSign({ ...signing, ...change }).ok, change === refusing[0])
      assert.deepEqual(taprootSign(signing), refusal('nonces already used'))
    }
  })

  it('a quorum out of order, doubled, of another size, of strangers or without itself', () => {
    for (const quorum of [
      [3, 1],
      [1, 1],
      [0, 1],
      [1, 1.5],
    ])
      assert.deepEqual(
        taprootSign({ ...session().signing(1), quorum }),
        refusal('quorum is not a sorted set'),
      )
    const keyShare = { ...shareOf(shares, 1), t: 3 }
    assert.deepEqual(taprootSign({ ...session().signing(1), keyShare }), refusal('quorum size'))
    const few = { ...shareOf(shares, 1), n: 2 }
    assert.deepEqual(
      taprootSign({ ...session().signing(1), keyShare: few }),
      refusal('unknown party'),
    )
    const other = { ...session().signing(1), keyShare: shareOf(shares, 2) }
    assert.deepEqual(taprootSign(other), refusal('not in the quorum'))
  })

  it('a list without one of the quorum, with one beyond it, or in which its own commitment is another', () => {
    const one = session()
    const without = new Map(one.commitments)
    without.delete(3)
    assert.deepEqual(
      taprootSign({ ...one.signing(1), commitments: without }),
      refusal('commitments are not those of the quorum'),
    )
    const more = session()
    const beyond = new Map(more.commitments).set(2, more.commitments.get(1) ?? noScripts)
    assert.deepEqual(
      taprootSign({ ...more.signing(1), commitments: beyond }),
      refusal('commitments are not those of the quorum'),
    )
    const two = session()
    const changed = new Map(two.commitments).set(1, session().commitments.get(1) ?? noScripts)
    assert.deepEqual(
      taprootSign({ ...two.signing(1), commitments: changed }),
      refusal('own commitment differs'),
    )
  })

  it('a commitment that is not two canonical points of the curve, neither of them the identity', () => {
    const good = session().commitments.get(3) ?? noScripts
    const halves = badPoints(group).flatMap((bad) => [
      concat(bad, good.slice(33)),
      concat(good.slice(0, 33), bad),
    ])
    const lengths = [good.slice(1), good.slice(0, 33), concat(good, Uint8Array.of(0)), noScripts]
    for (const bytes of [...halves, ...lengths]) {
      const one = session()
      const commitments = new Map(one.commitments).set(3, bytes)
      assert.deepEqual(
        taprootSign({ ...one.signing(1), commitments }),
        refusal('invalid commitment', [3]),
        toHex(bytes),
      )
    }
  })

  it('a key share that is no scalar, or zero', () => {
    for (const secret of [new Uint8Array(32), new Uint8Array(32).fill(255), new Uint8Array(31)]) {
      const keyShare = { ...shareOf(shares, 1), secret }
      assert.deepEqual(
        taprootSign({ ...session().signing(1), keyShare }),
        refusal('unusable key share'),
      )
    }
  })
})

describe('the Taproot aggregate', () => {
  const shares = pairOfThree()
  const quorum = [1, 3]
  const spend = { birth: 'taproot', merkleRoot: root } as const
  const start = (): Session => startSession({ shares, quorum, message: digest, ...spend }, random)

  it('names who sent a share that is wrong, in every way in which it can be', () => {
    const session = start()
    const answers = session.sign()
    const good = answers.get(3) ?? noScripts
    const value = bytesToBig(good.slice(33))
    const numbers = [
      new Uint8Array(32),
      fromHex(group.order.toString(16)),
      new Uint8Array(32).fill(255),
      group.scalarToBytes(group.mod(value + 1n)),
      group.scalarToBytes(group.mod(-value)),
    ]
    const wrong = [
      ...numbers.map((share) => concat(good.slice(0, 33), share)),
      good.map((byte, i) => (i === 64 ? byte ^ 1 : byte)),
      good.slice(1),
      concat(good, Uint8Array.of(0)),
      noScripts,
      answers.get(1) ?? noScripts,
      start().sign().get(3) ?? noScripts, // of another session
    ]
    for (const share of wrong)
      assert.deepEqual(session.aggregate(new Map(answers).set(3, share)), named([3]))
  })

  it('takes the first one’s word for R, and names who has lied about it', () => {
    const session = start()
    const answers = session.sign()
    const other = start().sign().get(1)?.slice(0, 33) ?? noScripts
    const lied = (party: Party) =>
      new Map(answers).set(party, concat(other, answers.get(party)?.slice(33) ?? noScripts))
    assert.deepEqual(session.aggregate(lied(1)), named([1]))
    assert.ok(session.aggregate(lied(3)).ok)
  })

  it('names those who sent nothing', () => {
    const session = start()
    const answers = new Map(session.sign())
    answers.delete(1)
    assert.deepEqual(session.aggregate(answers), named([1]))
  })

  it('names who signed for another tree, for none, another message, or with another key', () => {
    const strange = shareOf(generateShares({ group: 'secp256k1', n: 3, t: 2 }, random), 3)
    const changes: readonly Partial<TaprootSigning>[] = [
      { merkleRoot: sha256(root) },
      { merkleRoot: noScripts },
      { birth: 'plain', merkleRoot: undefined },
      { message: sha256(digest) },
      { keyShare: { ...shareOf(shares, 3), secret: strange.secret } },
    ]
    for (const change of changes) {
      const session = start()
      const [first, third] = [
        taprootSign(session.signing(1)),
        taprootSign({ ...session.signing(3), ...change }),
      ]
      assert.ok(first.ok && third.ok)
      const answers = new Map([
        [1, first.share],
        [3, third.share],
      ])
      assert.deepEqual(session.aggregate(answers), named([3]))
    }
  })

  it('names whose nonces are not those of the commitment', () => {
    const session = start()
    const other = taprootCommit({ secret: shareOf(shares, 3).secret, hedge: root }, random)
    const honest = taprootSign(session.signing(1))
    // A corrupt signer does not ask whether its own commitment is in the list.
    const forged = taprootSign({
      ...session.signing(3),
      commitments: new Map(session.commitments).set(3, other.commitment),
      nonces: other.nonces,
    })
    assert.ok(honest.ok && forged.ok)
    const answers = new Map([
      [1, honest.share],
      [3, forged.share],
    ])
    assert.deepEqual(session.aggregate(answers), named([3]))
  })

  it('gives nothing under another key, root or message than those signed for', () => {
    const strange = publicOf(generateShares({ group: 'secp256k1', n: 3, t: 2 }, random))
    for (const other of [
      { publicKey: strange.publicKey },
      { merkleRoot: noScripts },
      { message: sha256(digest) },
    ]) {
      const session = start()
      assert.ok(!session.aggregate(session.sign(), other).ok)
    }
    const session = start()
    const answers = session.sign()
    assert.deepEqual(session.aggregate(answers, { merkleRoot: undefined }), named([]))
    assert.deepEqual(session.aggregate(answers, { quorum: [3, 1] }), named([]))
  })

  it('names nobody where each share is right and there are too few of them', () => {
    const few = startSession({ shares, quorum: [1], message: digest, ...spend }, random)
    const answer = taprootSign({ ...few.signing(1), keyShare: { ...shareOf(shares, 1), t: 1 } })
    assert.ok(answer.ok)
    assert.deepEqual(few.aggregate(new Map([[1, answer.share]])), named([]))
  })

  it('gives no two sessions one nonce', () => {
    const made = Array.from({ length: 20 }, () => {
      const session = start()
      const result = session.aggregate(session.sign())
      assert.ok(result.ok)
      return toHex(result.signature.slice(0, 32))
    })
    assert.equal(new Set(made).size, 20)
  })
})

describe('the bytes of a Taproot signature', () => {
  it('are the known answer', () => {
    const shares = dealt({ secret: sha256(toUtf8('known answer')), n: 3, t: 2 }, seeded(9))
    const spend = { birth: 'taproot', merkleRoot: root } as const
    const noncesOf = (party: Party): FrostNonces =>
      taprootCommit({ secret: shareOf(shares, party).secret, hedge: root }, seeded(party)).nonces
    const session = startSession(
      { shares, quorum: [1, 3], message: digest, ...spend },
      random,
      noncesOf,
    )
    const answers = session.sign()
    const made = session.aggregate(answers)
    assert.ok(made.ok)
    const bodies = [...session.commitments.values(), ...answers.values()]
    assert.deepEqual(
      bodies.map((body) => body.length),
      [66, 66, 65, 65],
    )
    assert.deepEqual(
      { messages: toHex(sha256(...bodies)), signature: toHex(made.signature) },
      {
        messages: '936a212d08f7feaacaf9ae77f46be103fcaf1b5636c7bc18e845798c97143329',
        signature:
          'e1571c2f4261d7ef8977448fef46f086627f3fc85c6b19cb42367271b4472b900d23be2ed27604d4d65210d313c0a409fdccbefb4aac14624c28354956ebb1bc',
      },
    )
  })
})

function pairOfThree(): readonly KeyShare[] {
  return generateShares({ group: 'secp256k1', n: 3, t: 2 }, random)
}

function refusal(reason: string, culprits: readonly Party[] = []): object {
  return { ok: false, reason, culprits }
}

function named(culprits: readonly Party[]): object {
  return { ok: false, culprits }
}

/** BIP 341 by noble's arithmetic alone. */
function textbookTweak(publicKey: Uint8Array, merkleRoot: Uint8Array): bigint {
  return bytesToBig(schnorr.utils.taggedHash('TapTweak', publicKey.slice(1), merkleRoot))
}

function textbookPoint(publicKey: Uint8Array, merkleRoot: Uint8Array) {
  const { lift_x } = schnorr.utils
  const tweak = textbookTweak(publicKey, merkleRoot)
  return lift_x(bytesToBig(publicKey.slice(1))).add(secp256k1.Point.BASE.multiply(tweak))
}

function textbookOutput(publicKey: Uint8Array, merkleRoot: Uint8Array | undefined): Uint8Array {
  if (merkleRoot === undefined) return publicKey.slice(1)
  return textbookPoint(publicKey, merkleRoot).toBytes().slice(1)
}

function isOutputOdd(publicKey: Uint8Array, merkleRoot: Uint8Array): boolean {
  return textbookPoint(publicKey, merkleRoot).toBytes()[0] === 3
}

function isNonceOdd(session: Session, spend: Parameters<typeof signingKeyOf>[0]): boolean {
  const key = signingKeyOf(spend)
  const read = readCommitments(group, [...session.commitments.keys()], session.commitments)
  assert.ok(key.ok && read.ok)
  const { groupCommitment } = bind(taprootSuite, read.list, {
    publicKey: key.publicKey,
    message: digest,
  })
  return isOdd(groupCommitment)
}

/** Of the key with an even y, as noble tweaks: it turns the outcome when it signs. */
function tweakSecret({ secret, publicKey }: KeyShare, tweak: bigint): Uint8Array {
  const value = bytesToBig(secret)
  return group.scalarToBytes(group.mod((publicKey[0] === 3 ? -value : value) + tweak))
}

function noblePackage(
  shares: readonly KeyShare[],
  tweak: bigint,
): Parameters<typeof schnorr_FROST.signShare>[1] {
  const { n, t, publicKey, publicShares } = shareOf(shares, 1)
  const turned = (bytes: Uint8Array): Uint8Array => {
    const own = group.decode(bytes) ?? group.identity
    const even = publicKey[0] === 3 ? group.negate(own) : own
    return group.encode(group.add(even, group.multiplyBase(tweak)))
  }
  return {
    signers: { min: t, max: n },
    commitments: [turned(publicKey), ...publicShares.slice(1, t)],
    verifyingShares: Object.fromEntries(
      publicShares.map((point, i) => [schnorr_FROST.Identifier.fromNumber(i + 1), turned(point)]),
    ),
  }
}

/** noble’s own key generation tweaks by the empty root; what it was before is put together here. */
function nobleKeyGeneration() {
  const ids = [1, 2, 3].map((party) => schnorr_FROST.Identifier.fromNumber(party))
  const signers = { min: 2, max: 3 }
  const first = ids.map((id) => schnorr_FROST.DKG.round1(id, signers))
  const publics = first.map((one) => one.public)
  const without = (id: string) => publics.filter(({ identifier }) => identifier !== id)
  const second = first.map(({ secret }, i) =>
    schnorr_FROST.DKG.round2(secret, without(ids[i] ?? '')),
  )
  const polynomials = first.map(({ secret }) => secret.coefficients ?? [])
  const untweaked = dealtBy(polynomials)
  const theirs = first.map(({ secret }, i) => {
    const id = ids[i] ?? ''
    const sent = second.flatMap((shares) => (shares[id] === undefined ? [] : [shares[id]]))
    return schnorr_FROST.DKG.round3(secret, without(id), sent)
  })
  return { untweaked, theirs }
}

function dealtBy(polynomials: readonly (readonly bigint[])[]): readonly KeyShare[] {
  const [constant = 0n, slope = 0n] = [0, 1].map((k) =>
    group.mod(polynomials.reduce((sum, polynomial) => sum + (polynomial[k] ?? 0n), 0n)),
  )
  const secrets = [1n, 2n, 3n].map((x) => group.mod(constant + slope * x))
  const publicKey = group.encode(group.multiplyBase(constant))
  const publicShares = secrets.map((secret) => group.encode(group.multiplyBase(secret)))
  const nothing = new Uint8Array(32)
  return secrets.map((secret, i) => ({
    group: 'secp256k1',
    n: 3,
    t: 2,
    self: i + 1,
    secret: group.scalarToBytes(secret),
    publicKey,
    publicShares,
    chainCode: nothing,
    transcript: nothing,
  }))
}

/** Whoever signs with nonces overwrites them. */
function copyOf(pair: NoncePair | undefined): NoncePair {
  assert.ok(pair)
  return { hiding: pair.hiding.slice(), binding: pair.binding.slice() }
}
