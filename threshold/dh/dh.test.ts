import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { seeded } from '../dkg/attacker.ts'
import { generateShares } from '../dkg/ceremony.ts'
import type { KeyShare } from '../dkg/context.ts'
import { badPoints } from '../group/bad-points.ts'
import { groupOf } from '../group/groups.ts'
import { hashToScalar } from '../group/hash-to-scalar.ts'
import { clustersUpTo, fewQuorumsOf, quorumsOf } from '../group/quorums.ts'
import { dhCombine, type DhCombination } from '../public/derive.ts'
import { dhSizes } from '../public/sizes.ts'
import type { Party } from '../session.ts'
import { recombine } from '../sharing/sharing.ts'
import { dealt, publicOf, shareOf } from '../taproot/testing/parties.ts'
import { dhDerive } from './derive.ts'
import { domainBytesMax, pointOf, seedBytesMax } from './input.ts'
import { challengeOf, decodePartial, encodePartial, isProven, partialSize } from './proof.ts'
import { partialsOf } from './testing/parties.ts'

const group = groupOf('secp256k1')
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const nothing = new Uint8Array()
const domain = toUtf8('QUORATE-V01-TEST')
const seed = toUtf8('customer 17')
const sid = sha256(toUtf8('a session'))
const quorum = [1, 3]
const encoded = ({ result, proof }: NonNullable<ReturnType<typeof decodePartial>>): Uint8Array =>
  encodePartial(result, { ...proof, response: group.scalarToBytes(proof.response) })
/** All 219 quorums of 2 ≤ t ≤ n ≤ 7: `npm run test:quorums`. */
const quorumsToTest = process.env['QUORATE_TEST_QUORUMS'] === 'all' ? quorumsOf : fewQuorumsOf

describe('secp256k1_XMD:SHA-256_SSWU_RO_, RFC 9380, appendix J.8.1', () => {
  const tag = toUtf8('QUUX-V01-CS02-with-secp256k1_XMD:SHA-256_SSWU_RO_')
  for (const [message, x, y] of rfc9380())
    it(`maps a message of ${message.length} bytes to the point of the RFC`, () => {
      const point = pointOf({ domain: tag, seed: toUtf8(message) })
      assert.equal(toHex(point ?? nothing), `04${x}${y}`)
    })

  it('takes no empty domain, and none and no seed beyond its limit', () => {
    const long = (size: number): Uint8Array => new Uint8Array(size).fill(1)
    assert.ok(pointOf({ domain: Uint8Array.of(0), seed: nothing }))
    assert.ok(pointOf({ domain: long(domainBytesMax), seed: long(seedBytesMax) }))
    assert.equal(pointOf({ domain: nothing, seed }), undefined)
    assert.equal(pointOf({ domain: long(domainBytesMax + 1), seed }), undefined)
    assert.equal(pointOf({ domain, seed: long(seedBytesMax + 1) }), undefined)
  })

  it('tells apart where a domain ends and a seed begins', () => {
    const points = [
      ['ab', 'c'],
      ['a', 'bc'],
    ].map(([tagged = '', message = '']) =>
      pointOf({ domain: toUtf8(tagged), seed: toUtf8(message) }),
    )
    assert.notDeepEqual(points[0], points[1])
  })

  it('hashes to scalars as noble does', () => {
    for (const size of [0, 1, 31, 32, 33, 200]) {
      const message = random(size)
      const theirs = secp256k1_hasher.hashToScalar(message, { DST: tag })
      assert.equal(hashToScalar(group, { tag, message }), theirs)
    }
  })
})

describe('derivation over quorums', () => {
  for (const { n, t } of clustersUpTo(7))
    it(`${t} of ${n} derive what the whole key would`, () => {
      const shares = generateShares({ group: 'secp256k1', n, t }, random)
      const whole = wholeOf(shares)
      const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
      const point = input.multiply(bytesToBig(whole)).toBytes(true)
      for (const chosen of quorumsToTest(n, t)) {
        const partials = partialsOf({ shares, quorum: chosen, sid, domain, seed }, random)
        const made = combine(shares, { quorum: chosen, partials })
        assert.deepEqual(made, { ok: true, point, output: sha256(point) })
      }
    })

  it('gives the same for the same, whoever takes part, and another for any other input', () => {
    const shares = generateShares({ group: 'secp256k1', n: 4, t: 2 }, random)
    const outputs = new Set<string>()
    for (const chosen of quorumsOf(4, 2)) {
      const own = random(32)
      const partials = partialsOf({ shares, quorum: chosen, sid: own, domain, seed }, random)
      const made = combine(shares, { quorum: chosen, partials, sid: own })
      assert.ok(made.ok)
      outputs.add(toHex(made.output))
    }
    assert.equal(outputs.size, 1)
    for (const other of [{ domain: seed }, { seed: domain }, { seed: nothing }]) {
      const asked = { domain, seed, ...other }
      const partials = partialsOf({ shares, quorum: [1, 2], sid, ...asked }, random)
      const made = combine(shares, { quorum: [1, 2], partials, ...asked })
      assert.ok(made.ok)
      outputs.add(toHex(made.output))
    }
    assert.equal(outputs.size, 4)
  })
})

describe('the combination of partial results', () => {
  const shares = generateShares({ group: 'secp256k1', n: 3, t: 2 }, random)
  const partials = partialsOf({ shares, quorum, sid, domain, seed }, random)
  const good = partials.get(3) ?? nothing

  it('names who sent one that is wrong, in every way in which it can be', () => {
    const value = decodePartial(good)
    assert.ok(value)
    const { result, proof } = value
    const order = fromHex(group.order.toString(16))
    const changes: readonly Uint8Array[] = [
      ...Array.from(good, (_, at) => good.map((byte, i) => (i === at ? byte ^ 1 : byte))),
      ...badPoints(group).map((bad) => concat(bad, good.slice(33))),
      concat(good.slice(0, 33), order, good.slice(65)),
      concat(good.slice(0, 65), order),
      concat(good.slice(0, 33), new Uint8Array(64)),
      encoded({ result: group.negate(result), proof }),
      encoded({ result: group.add(result, group.generator), proof }),
      encoded({ result, proof: { ...proof, response: group.mod(-proof.response) } }),
      good.slice(1),
      good.slice(0, 33),
      concat(good, Uint8Array.of(0)),
      nothing,
      partials.get(1) ?? nothing,
    ]
    for (const bytes of changes)
      assert.deepEqual(
        combine(shares, { partials: new Map(partials).set(3, bytes) }),
        named([3]),
        toHex(bytes),
      )
  })

  it('names who sent nothing, and both if both were wrong', () => {
    assert.deepEqual(
      combine(shares, { partials: new Map([[1, partials.get(1) ?? nothing]]) }),
      named([3]),
    )
    assert.deepEqual(combine(shares, { partials: new Map() }), named([1, 3]))
  })

  it('names who used the share of another key, and proved it well', () => {
    const strange = shareOf(generateShares({ group: 'secp256k1', n: 3, t: 2 }, random), 3)
    const own = shareOf(shares, 3)
    // Consistent in itself, about a public share that is not the certificate's; and one that claims
    // the certificate's.
    for (const publicShares of [strange.publicShares, own.publicShares]) {
      const keyShare = { ...own, secret: strange.secret, publicShares }
      const lie = dhDerive({ keyShare, sid, domain, seed }, random)
      assert.ok(lie.ok)
      assert.deepEqual(
        combine(shares, { partials: new Map(partials).set(3, lie.partial) }),
        named([3]),
      )
    }
  })

  it('names who makes up a proof with challenges of its own', () => {
    const { secret, publicKey, publicShares } = shareOf(shares, 3)
    const x = bytesToBig(secret)
    const [input, publicShare] = [
      pointOf({ domain, seed }),
      group.decode(publicShares[2] ?? nothing),
    ]
    assert.ok(input && publicShare)
    const honest = group.multiply(input, x)
    const claim = { sid, publicKey, party: 3, publicShare, input, result: honest }
    const A = group.multiplyBase(7n)
    // As if B did not matter: the proof of the right X_i, beside a wrong result.
    const wrong = group.add(honest, group.generator)
    const first = challengeOf({ ...claim, result: wrong }, A, group.multiply(input, 7n))
    const beside = { challenge: first, response: group.mod(7n + first * x) }
    // As if the result did not matter: it is worked out from the challenge, for another B.
    const B = group.multiply(input, 8n)
    const second = challengeOf(claim, A, B)
    const after = { challenge: second, response: group.mod(7n + second * x) }
    const back = group.add(group.multiply(input, after.response), group.negate(B))
    const made = group.multiply(back, group.invertPublic(second))
    assert.ok(!group.equal(made, honest))
    for (const lie of [
      encoded({ result: wrong, proof: beside }),
      encoded({ result: made, proof: after }),
    ])
      assert.deepEqual(combine(shares, { partials: new Map(partials).set(3, lie) }), named([3]))
  })

  it('names who proves another input, key, session or party', () => {
    const others = [
      { domain: seed },
      { seed: domain },
      { sid: sha256(sid) },
      {
        keyShare: {
          ...shareOf(shares, 3),
          publicKey: shareOf(shares, 3).publicShares[0] ?? nothing,
        },
      },
    ]
    for (const other of others) {
      const asked = { keyShare: shareOf(shares, 3), sid, domain, seed, ...other }
      const elsewhere = dhDerive(asked, random)
      assert.ok(elsewhere.ok)
      assert.deepEqual(
        combine(shares, { partials: new Map(partials).set(3, elsewhere.partial) }),
        named([3]),
      )
    }
  })

  it('takes no proof for another party, also where both have the same share', () => {
    // The constant polynomial: everybody holds the key itself.
    const { secret, publicShares, publicKey } = shareOf(shares, 1)
    const same = publicShares.map(() => publicShares[0] ?? nothing)
    const keyShare = { self: 1, secret, publicKey, publicShares: same }
    const made = dhDerive({ keyShare, sid, domain, seed }, random)
    assert.ok(made.ok)
    const value = decodePartial(made.partial)
    const [input, publicShare] = [pointOf({ domain, seed }), group.decode(same[0] ?? nothing)]
    assert.ok(value && input && publicShare)
    const claim = { sid, publicKey, publicShare, input, result: value.result }
    assert.ok(isProven({ ...claim, party: 1 }, value.proof))
    assert.ok(!isProven({ ...claim, party: 2 }, value.proof))
  })

  it('gives nothing to fewer than the threshold, to a quorum that is no set, or to strangers', () => {
    for (const wrong of [[1], [3], [1, 1], [], [1, 4], [0, 1]])
      assert.deepEqual(combine(shares, { quorum: wrong, partials }), named([]))
    const three = generateShares({ group: 'secp256k1', n: 3, t: 3 }, random)
    const two = partialsOf({ shares: three, quorum, sid, domain, seed }, random)
    assert.deepEqual(combine(three, { partials: two }), named([]))
  })

  it('gives nothing under another key, public share or input than those proven', () => {
    const strange = publicOf(generateShares({ group: 'secp256k1', n: 3, t: 2 }, random))
    assert.deepEqual(combine(shares, { partials, publicKey: strange.publicKey }), named([]))
    assert.deepEqual(combine(shares, { partials, publicShares: strange.publicShares }), named([]))
    assert.deepEqual(combine(shares, { partials, ...strange }), named([1, 3]))
    assert.deepEqual(combine(shares, { partials, seed: domain }), named([1, 3]))
    assert.deepEqual(combine(shares, { partials, domain: nothing }), named([]))
    for (const bad of badPoints(group))
      assert.deepEqual(combine(shares, { partials, publicKey: bad }), named([]))
  })
})

describe('a signer asked to derive', () => {
  const shares = generateShares({ group: 'secp256k1', n: 3, t: 2 }, random)
  const keyShare = shareOf(shares, 1)
  const asked = { keyShare, sid, domain, seed }

  it('refuses a domain or seed that is not to be hashed', () => {
    assert.deepEqual(dhDerive({ ...asked, domain: nothing }, random), refusal('domain or seed'))
    const long = new Uint8Array(seedBytesMax + 1)
    assert.deepEqual(dhDerive({ ...asked, seed: long }, random), refusal('domain or seed'))
  })

  it('refuses a key share that is no scalar, zero, or without its public share', () => {
    const unusable: readonly Partial<KeyShare>[] = [
      { secret: new Uint8Array(32) },
      { secret: new Uint8Array(32).fill(255) },
      { secret: keyShare.secret.slice(1) },
      { publicShares: [] },
    ]
    for (const change of unusable)
      assert.deepEqual(
        dhDerive({ ...asked, keyShare: { ...keyShare, ...change } }, random),
        refusal('unusable key share'),
      )
  })

  it('takes a session’s name of 32 bytes only', () => {
    assert.throws(() => dhDerive({ ...asked, sid: sid.slice(1) }, random))
  })

  it('proves with another nonce for any other claim, also where the randomness repeats', () => {
    const stuck = (size: number): Uint8Array => new Uint8Array(size).fill(9)
    const other = generateShares({ group: 'secp256k1', n: 3, t: 2 }, random)
    const claims = [
      asked,
      { ...asked, sid: sha256(sid) },
      { ...asked, seed: domain },
      { ...asked, domain: seed },
      { ...asked, keyShare: shareOf(shares, 2) },
      { ...asked, keyShare: shareOf(other, 1) },
      { ...asked, keyShare: { ...keyShare, publicKey: shareOf(other, 1).publicKey } },
    ]
    const nonces = new Set(claims.map((claim) => nonceOf(claim, stuck)))
    assert.equal(nonces.size, claims.length)
    assert.equal(nonceOf(asked, stuck), nonceOf(asked, stuck))
    assert.notEqual(nonceOf(asked, random), nonceOf(asked, random))
  })

  /** k = s − c·x_i: what two proofs with one nonce would give away. */
  function nonceOf(claim: Parameters<typeof dhDerive>[0], of: typeof random): bigint {
    const made = dhDerive(claim, of)
    const value = made.ok ? decodePartial(made.partial) : undefined
    assert.ok(value)
    const { challenge, response } = value.proof
    return group.mod(response - challenge * bytesToBig(claim.keyShare.secret))
  }
})

describe('the bytes of a derivation', () => {
  it('are the known answer', () => {
    const shares = dealt({ secret: sha256(toUtf8('known answer')), n: 3, t: 2 }, seeded(9))
    const partials = new Map(
      quorum.map((party) => {
        const made = partialsOf({ shares, quorum: [party], sid, domain, seed }, seeded(party))
        return [party, made.get(party) ?? nothing]
      }),
    )
    for (const partial of partials.values()) assert.equal(partial.length, dhSizes.partial)
    assert.equal(dhSizes.partial, partialSize)
    const made = combine(shares, { partials })
    assert.ok(made.ok)
    assert.deepEqual([made.point.length, made.output.length], [dhSizes.point, dhSizes.output])
    assert.deepEqual(
      { partials: toHex(sha256(...partials.values())), output: toHex(made.output) },
      {
        partials: 'ff986876c4f26685d19a3307ac21b09d0e4a6917fc48467f6760f7052dfaea76',
        output: 'feb93b0751809339f52cf36ba310e57086030954c584078141004fe143a098d3',
      },
    )
    const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
    const whole = bytesToBig(sha256(toUtf8('known answer')))
    assert.deepEqual(secp256k1.Point.fromBytes(made.point), input.multiply(whole))
  })
})

function combine(shares: readonly KeyShare[], other: Partial<DhCombination>) {
  const partials = new Map<Party, Uint8Array>()
  return dhCombine({ ...publicOf(shares), quorum, sid, domain, seed, partials, ...other })
}

function wholeOf(shares: readonly KeyShare[]): Uint8Array {
  const secrets = new Map(shares.map(({ self, secret }) => [self, secret]))
  const whole = recombine({ group: 'secp256k1', ...publicOf(shares), shares: secrets })
  assert.ok(whole.ok)
  return whole.secret
}

function refusal(reason: string): object {
  return { ok: false, reason, culprits: [] }
}

function named(culprits: readonly Party[]): object {
  return { ok: false, culprits }
}

/** Message, and x and y of the point. */
function rfc9380(): readonly (readonly [string, string, string])[] {
  return [
    [
      '',
      'c1cae290e291aee617ebaef1be6d73861479c48b841eaba9b7b5852ddfeb1346',
      '64fa678e07ae116126f08b022a94af6de15985c996c3a91b64c406a960e51067',
    ],
    [
      'abc',
      '3377e01eab42db296b512293120c6cee72b6ecf9f9205760bd9ff11fb3cb2c4b',
      '7f95890f33efebd1044d382a01b1bee0900fb6116f94688d487c6c7b9c8371f6',
    ],
    [
      'abcdef0123456789',
      'bac54083f293f1fe08e4a70137260aa90783a5cb84d3f35848b324d0674b0e3a',
      '4436476085d4c3c4508b60fcf4389c40176adce756b398bdee27bca19758d828',
    ],
    [
      `q128_${'q'.repeat(128)}`,
      'e2167bc785333a37aa562f021f1e881defb853839babf52a7f72b102e41890e9',
      'f2401dd95cc35867ffed4f367cd564763719fbc6a53e969fb8496a1e6685d873',
    ],
    [
      `a512_${'a'.repeat(512)}`,
      'e3c8d35aaaf0b9b647e88a0a0a7ee5d5bed5ad38238152e4e6fd8c1f8cb7c998',
      '8446eeb6181bf12f56a9d24e262221cc2f0c4725c7e3803024b5888ee5823aa6',
    ],
  ]
}
