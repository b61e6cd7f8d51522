import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { concat, toHex } from '@quorate/core/bytes'
import { hashOf, sha256 } from '@quorate/core/hash'
import type { Party } from '../session.ts'
import { decode } from '@quorate/core/codec'
import { combineEcdsa, type EcdsaSignature } from './combine.ts'
import { finalSid, labelOf } from './context.ts'
import { openExtension } from './extension.ts'
import { messagesOf } from './messages.ts'
import { decodePair, encodePair } from './pair.ts'
import { startEcdsa } from './round1.ts'
import { ecdsaRound2 } from './round2.ts'
import { ecdsaRound3 } from './round3.ts'
import { ecdsaSizes } from './sizes.ts'
import {
  at,
  type Cluster,
  closings,
  cluster,
  contextFor,
  next,
  outs,
  seeded,
  type Session,
  signTogether,
} from './testing/parties.ts'

describe('threshold ECDSA in three rounds', () => {
  for (const [n, t] of [
    [2, 2],
    [3, 2],
    [4, 2],
    [4, 3],
    [4, 4],
    [5, 3],
  ] as const)
    it(`signs with every quorum of ${t} of ${n}, and every quorum for the same key`, () => {
      const shared = cluster(n, t)
      for (const quorum of quorums(n, t)) {
        const name = `${n} ${t} ${quorum}`
        const session = signTogether(shared, quorum, name)
        nobleAccepts(shared, session)
        opensslAccepts(shared, session, name)
      }
    })

  it('signs with four of seven', () => {
    const quorum = [2, 4, 5, 7]
    const shared = cluster(7, 4, quorum)
    const session = signTogether(shared, quorum, 'seven')
    nobleAccepts(shared, session)
    opensslAccepts(shared, session, 'seven')
  })

  it('signs with pairs that come back from their stored form', () => {
    const shared = cluster(3, 2)
    const stored = [...shared.pairs].map(([party, pairs]) => {
      const opened = [...pairs].map(([peer, pair]) => [peer, decodePair(encodePair(pair))] as const)
      return [party, new Map(opened)] as const
    })
    const reopened: Cluster = { ...shared, pairs: new Map(stored) }
    nobleAccepts(reopened, signTogether(reopened, [1, 3], 'stored'))
  })

  it('signs a digest that is zero, and one above the order', () => {
    const shared = cluster(3, 2)
    for (const byte of [0, 255]) {
      const digest = new Uint8Array(32).fill(byte)
      const session = signTogether(shared, [1, 3], `digest ${byte}`, digest)
      nobleAccepts(shared, session)
    }
  })

  it('gives an s in the lower half, with the recovery id of the key', () => {
    const shared = cluster(3, 2)
    const seen = new Set<number>()
    for (let i = 0; i < 12; i++) {
      const session = signTogether(shared, [2, 3], `low ${i}`)
      const { r, s, recid } = signatureOf(shared, session)
      assert.ok(BigInt(`0x${toHex(s)}`) <= noble.Point.Fn.ORDER / 2n)
      const bytes = concat(Uint8Array.of(recid), r, s)
      const digest = digestOf(session)
      const recovered = noble.recoverPublicKey(bytes, digest, { prehash: false })
      assert.deepEqual(recovered, shared.publicKey)
      seen.add(recid)
    }
    assert.equal(seen.size, 2)
  })

  it('never says anything twice: same random bytes, another session id, all other values', () => {
    const shared = cluster(3, 2)
    const context = contextFor(shared, 1, [1, 2], 'one')
    const other = { ...context, sid: sha256(context.sid) }
    const [one, two] = [context, other].map((each) => startEcdsa(each, seeded('stuck')))
    assert.ok(one?.kind === 'next' && two?.kind === 'next')
    assert.notEqual(one.state.nonce, two.state.nonce)
    assert.notDeepEqual(one.state.receiving.get(2)?.choice, two.state.receiving.get(2)?.choice)
    const digest = { ...context, digest: sha256(context.digest) }
    const third = startEcdsa(digest, seeded('stuck'))
    assert.ok(third.kind === 'next' && third.state.nonce !== one.state.nonce)
  })

  it('draws other streams and pads if a first session id comes twice', () => {
    const shared = cluster(3, 2)
    const context = contextFor(shared, 1, [1, 2], 'the same')
    const pair = context.pairs.get(2)
    const [one, two] = ['one', 'two'].map((name) => next(startEcdsa(context, seeded(name))).state)
    assert.ok(one && two && pair)
    assert.deepEqual(one.first, two.first)
    const streams = [one, two].map(({ first, announced }) => {
      const { nonce } = decode(messagesOf('secp256k1').announcement, announced)
      const label = labelOf(first, pair, { receiver: 1, sender: 2 }, nonce)
      // With no choice the corrections are the streams.
      return openExtension(label, pair.receiver, new Uint32Array(24)).corrections
    })
    assert.notDeepEqual(streams[0], streams[1])
    const finals = [one, two].map(({ first, announced }) =>
      finalSid(first, new Map([[1, announced]])),
    )
    assert.notDeepEqual(finals[0], finals[1])
  })

  it('takes a state further once, whatever came of it', () => {
    const { first, second } = signTogether(cluster(3, 2), [1, 2], 'once')
    const already = { message: /taken further already/ }
    assert.equal(ecdsaRound2(at(first, 1).state, []).kind, 'abort')
    assert.throws(() => ecdsaRound2(at(first, 1).state, []), already)
    assert.equal(ecdsaRound3(at(second, 1).state, []).kind, 'abort')
    assert.throws(() => ecdsaRound3(at(second, 1).state, []), already)
  })

  it('overwrites the choice and its rows once they are of no more use', () => {
    const { first, second } = signTogether(cluster(3, 2), [1, 2], 'overwritten')
    for (const receiving of [at(first, 1).state.receiving, at(second, 1).state.peers]) {
      const { choice, rows } = at(receiving, 2)
      assert.ok(choice.some((word) => word !== 0) && rows.some((word) => word !== 0))
    }
    ecdsaRound2(at(first, 1).state, [])
    ecdsaRound3(at(second, 1).state, [])
    for (const receiving of [at(first, 1).state.receiving, at(second, 1).state.peers]) {
      const { choice, rows } = at(receiving, 2)
      assert.ok(choice.every((word) => word === 0) && rows.every((word) => word === 0))
    }
  })

  it('refuses a context that does not fit together', () => {
    const context = contextFor(cluster(3, 2), 1, [1, 2])
    const wrong = [
      { quorum: [2, 1] },
      { quorum: [1, 1] },
      { quorum: [2, 3] },
      { quorum: [1, 2, 3] },
      { quorum: [1, 4] },
      { quorum: [1] },
      { t: 1, quorum: [1] },
      { sid: new Uint8Array(31) },
      { digest: new Uint8Array(33) },
      { secret: new Uint8Array(32) },
      { secret: new Uint8Array(32).fill(7) },
      { publicShares: context.publicShares.slice(1) },
      { pairs: new Map() },
      { pairs: new Map([[2, contextFor(cluster(3, 2), 1, [1, 3]).pairs.get(3)]]) },
      { self: 2 },
    ]
    for (const change of wrong)
      assert.throws(() => startEcdsa({ ...context, ...change } as typeof context, seeded('x')))
  })

  it('sends bodies of the sizes it promises', () => {
    for (const t of [2, 3]) {
      const parties = [1, 2, 3].slice(0, t)
      const { first, second, third } = signTogether(cluster(4, t), parties, 'sizes')
      const sizesOf = (round: typeof first | typeof second | typeof third): readonly number[] => [
        ...new Set([...outs(round).values()].flatMap((out) => out.map(({ body }) => body.length))),
      ]
      const { announcement, extension, product, closing } = ecdsaSizes('secp256k1', t)
      const sizes = [first, second, third].map(sizesOf)
      assert.deepEqual(sizes, [[announcement, extension], [product], [closing]])
    }
  })

  it('keeps its known answer', () => {
    const shared = cluster(4, 2)
    const session = signTogether(shared, [1, 3], 'known answer')
    const { r, s, recid } = signatureOf(shared, session)
    assert.equal(fingerprint(session), 'ecb5078765bed30d')
    assert.equal(
      toHex(hashOf('signature', r, s, Uint8Array.of(recid))).slice(0, 16),
      '308425e1ba612f7e',
    )
  })
})

function signatureOf(shared: Cluster, session: Session): EcdsaSignature {
  const { publicKey } = shared
  const combined = combineEcdsa({
    curve: 'secp256k1',
    publicKey,
    digest: digestOf(session),
    round3: closings(session),
  })
  assert.ok(combined.ok, combined.ok ? '' : combined.reason)
  return combined.signature
}

function digestOf({ contexts }: Session): Uint8Array {
  const [context] = contexts.values()
  assert.ok(context)
  return context.digest
}

function nobleAccepts(shared: Cluster, session: Session): void {
  const { r, s } = signatureOf(shared, session)
  const digest = digestOf(session)
  assert.ok(noble.verify(concat(r, s), digest, shared.publicKey, { prehash: false }))
}

/** OpenSSL hashes by itself, so it gets what the session's digest is the hash of. */
function opensslAccepts(shared: Cluster, session: Session, name: string): void {
  const { r, s } = signatureOf(shared, session)
  const point = noble.Point.fromBytes(shared.publicKey).toBytes(false)
  const [x, y] = [base64url(point.slice(1, 33)), base64url(point.slice(33))]
  const key = createPublicKey({ key: { kty: 'EC', crv: 'secp256k1', x, y }, format: 'jwk' })
  const text = Buffer.from(`digest ${name}`)
  assert.ok(verify('sha256', text, { key, dsaEncoding: 'ieee-p1363' }, concat(r, s)))
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** Every message of every party, in the order in which they were sent. */
function fingerprint({ first, second, third }: Session): string {
  const bodies = [first, second, third].flatMap((round) =>
    [...outs(round).values()].flatMap((out) => out.map(({ body }) => body)),
  )
  return toHex(hashOf('messages', ...bodies)).slice(0, 16)
}

function quorums(n: number, t: number): readonly (readonly Party[])[] {
  const parties = Array.from({ length: n }, (_, i) => i + 1)
  const subsets = parties.reduce<readonly Party[][]>(
    (all, party) => [...all, ...all.map((subset) => [...subset, party])],
    [[]],
  )
  return subsets.filter((subset) => subset.length === t)
}
