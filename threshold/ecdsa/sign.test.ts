import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import * as starknet from '@scure/starknet'
import { bigToBytes, bytesToBig, concat, toHex } from '@quorate/core/bytes'
import { hashOf, sha256 } from '@quorate/core/hash'
import { clustersUpTo, fewQuorumsOf, quorumsOf } from '../group/quorums.ts'
import { decode } from '@quorate/core/codec'
import { combineEcdsa, type EcdsaSignature } from './combine.ts'
import { finalSid, labelOf } from './context.ts'
import { curveOf, type EcdsaCurveName } from './curve.ts'
import { openExtension } from './extension.ts'
import { messagesOf } from './messages.ts'
import { decodePair, encodePair } from './pair.ts'
import { partiesMax } from './parameters.ts'
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
  digestNamed,
  next,
  outs,
  seeded,
  type Session,
  signTogether,
} from './testing/parties.ts'

/** `npm run test:quorums`: all 219 of them, on both curves. */
const areAllAsked = process.env['QUORATE_TEST_QUORUMS'] !== undefined

for (const curve of ['secp256k1', 'stark'] as const) signsOn(curve)

function signsOn(curve: EcdsaCurveName): void {
  const { digestMax, group, isLowS } = curveOf(curve)
  const small = cluster(3, 2, curve)

  describe(`threshold ECDSA on ${curve} in three rounds`, () => {
    for (const { n, t } of clustersUpTo(partiesMax))
      it(`signs with quorums of ${t} of ${n}, all for the same key`, () => {
        const shared = cluster(n, t, curve)
        const some = n <= 4 ? quorumsOf(n, t) : fewQuorumsOf(n, t).slice(-1)
        for (const quorum of areAllAsked ? quorumsOf(n, t) : some) {
          const name = `${n} ${t} ${quorum}`
          areAccepted(shared, signTogether(shared, quorum, name), name)
        }
      })

    it('signs with pairs that come back from their stored form', () => {
      const shared = small
      const stored = [...shared.pairs].map(([party, pairs]) => {
        const opened = [...pairs].map(
          ([peer, pair]) => [peer, decodePair(encodePair(pair))] as const,
        )
        return [party, new Map(opened)] as const
      })
      const reopened: Cluster = { ...shared, pairs: new Map(stored) }
      areAccepted(reopened, signTogether(reopened, [1, 3], 'stored'), 'stored')
    })

    it('signs a digest that is zero, and the highest there is', () => {
      for (const number of [0n, digestMax - 1n]) {
        const digest = bigToBytes(number, 32)
        const session = signTogether(small, [1, 3], `digest ${number}`, digest)
        othersAccept(small, session)
      }
    })

    it('takes no digest that verifiers do not take', () => {
      const context = contextFor(small, 1, [1, 2])
      const beyond = [digestMax, 2n ** 256n - 1n].filter((number) => number < 2n ** 256n)
      for (const number of curve === 'stark' ? beyond : []) {
        const digest = bigToBytes(number, 32)
        assert.throws(() => startEcdsa({ ...context, digest }, seeded('digest')))
      }
    })

    it('gives a recovery id that says which point the nonce was, and the lower s where it counts', () => {
      const seen = new Set<string>()
      for (let i = 0; i < 12; i++) {
        const session = signTogether(small, [2, 3], `low ${i}`)
        const { r, s, recid } = signatureOf(small, session)
        const half = bytesToBig(s) <= group.order / 2n ? 'lower' : 'upper'
        seen.add(`${recid}`).add(half)
        // The key that r, s and the recovery id stand for: SEC 1, 4.1.6.
        const point = group.decode(concat(Uint8Array.of(2 + recid), r))
        assert.ok(point)
        const inverse = group.invertPublic(bytesToBig(r))
        const z = bytesToBig(digestOf(session))
        const recovered = group.add(
          group.multiplyPublic(point, group.mod(bytesToBig(s) * inverse)),
          group.multiplyBase(group.mod(-z * inverse)),
        )
        assert.deepEqual(group.encode(recovered), small.publicKey)
      }
      assert.ok(seen.has('0') && seen.has('1'))
      assert.equal(seen.has('upper'), !isLowS)
    })

    it('never says anything twice: same random bytes, another session id, all other values', () => {
      const shared = small
      const context = contextFor(shared, 1, [1, 2], 'one')
      const other = { ...context, sid: sha256(context.sid) }
      const [one, two] = [context, other].map((each) => startEcdsa(each, seeded('stuck')))
      assert.ok(one?.kind === 'next' && two?.kind === 'next')
      assert.notEqual(one.state.nonce, two.state.nonce)
      assert.notDeepEqual(one.state.receiving.get(2)?.choice, two.state.receiving.get(2)?.choice)
      const digest = { ...context, digest: digestNamed(curve, 'another') }
      const third = startEcdsa(digest, seeded('stuck'))
      assert.ok(third.kind === 'next' && third.state.nonce !== one.state.nonce)
    })

    it('draws other streams and pads if a first session id comes twice', () => {
      const shared = small
      const context = contextFor(shared, 1, [1, 2], 'the same')
      const pair = context.pairs.get(2)
      const [one, two] = ['one', 'two'].map((name) => next(startEcdsa(context, seeded(name))).state)
      assert.ok(one && two && pair)
      assert.deepEqual(one.first, two.first)
      const streams = [one, two].map(({ first, announced }) => {
        const { nonce } = decode(messagesOf(curve).announcement, announced)
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
      const { first, second } = signTogether(small, [1, 2], 'once')
      const already = { message: /taken further already/ }
      assert.equal(ecdsaRound2(at(first, 1).state, []).kind, 'abort')
      assert.throws(() => ecdsaRound2(at(first, 1).state, []), already)
      assert.equal(ecdsaRound3(at(second, 1).state, []).kind, 'abort')
      assert.throws(() => ecdsaRound3(at(second, 1).state, []), already)
    })

    it('overwrites the choice and its rows once they are of no more use', () => {
      const { first, second } = signTogether(small, [1, 2], 'overwritten')
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
      const context = contextFor(small, 1, [1, 2])
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
        { pairs: new Map([[2, contextFor(small, 1, [1, 3]).pairs.get(3)]]) },
        { self: 2 },
      ]
      for (const change of wrong)
        assert.throws(() => startEcdsa({ ...context, ...change } as typeof context, seeded('x')))
    })

    it('sends bodies of the sizes it promises', () => {
      for (const t of [2, 3]) {
        const parties = [1, 2, 3].slice(0, t)
        const { first, second, third } = signTogether(cluster(4, t, curve), parties, 'sizes')
        const sizesOf = (round: typeof first | typeof second | typeof third): readonly number[] => [
          ...new Set(
            [...outs(round).values()].flatMap((out) => out.map(({ body }) => body.length)),
          ),
        ]
        const { announcement, extension, product, closing } = ecdsaSizes(curve, t)
        const sizes = [first, second, third].map(sizesOf)
        assert.deepEqual(sizes, [[announcement, extension], [product], [closing]])
      }
    })

    it('keeps its known answer', () => {
      const shared = cluster(4, 2, curve)
      const session = signTogether(shared, [1, 3], 'known answer')
      const { r, s, recid } = signatureOf(shared, session)
      const signature = toHex(hashOf('signature', r, s, Uint8Array.of(recid))).slice(0, 16)
      assert.deepEqual([fingerprint(session), signature], knownAnswers[curve])
    })
  })
}

/** The messages and the signature of one seeded session. */
const knownAnswers = {
  secp256k1: ['ecb5078765bed30d', '308425e1ba612f7e'],
  stark: ['ec683e07397b133b', 'd03c224b88023c8e'],
} as const

function signatureOf(shared: Cluster, session: Session): EcdsaSignature {
  const { publicKey } = shared
  const combined = combineEcdsa({
    curve: shared.curve,
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

function areAccepted(shared: Cluster, session: Session, name: string): void {
  othersAccept(shared, session)
  if (shared.curve === 'secp256k1') opensslAccepts(shared, session, name)
}

/** Of the Stark curve, scure-starknet, which keeps to StarkWare's bounds; else noble. */
function othersAccept(shared: Cluster, session: Session): void {
  const { r, s } = signatureOf(shared, session)
  const digest = digestOf(session)
  const signature = concat(r, s)
  if (shared.curve === 'secp256k1')
    assert.ok(noble.verify(signature, digest, shared.publicKey, { prehash: false }))
  else assert.ok(starknet.verify(signature, digest, shared.publicKey, { format: 'compact' }))
}

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
