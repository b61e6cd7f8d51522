import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { schnorr_FROST } from '@noble/curves/secp256k1.js'
import { generateShares } from '../dkg/ceremony.ts'
import type { KeyShare } from '../dkg/context.ts'
import { type Clock, measure, type Row } from '../measure.ts'
import { taprootAggregate } from '../public/taproot.ts'
import type { Party } from '../session.ts'
import { taprootCommit, taprootSign } from './sign.ts'
import { publicOf } from './testing/parties.ts'

type Size = { readonly n: number; readonly t: number }
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const message = random(32)
const spend = { birth: 'taproot', merkleRoot: new Uint8Array() } as const

export function benchTaproot(runs: number, sizes: readonly Size[]): readonly Row[] {
  return sizes.flatMap(({ n, t }) => {
    const shares = generateShares({ group: 'secp256k1', n, t }, random)
    const theirs = schnorr_FROST.trustedDealer({ min: t, max: n })
    return [
      measure(`FROST Taproot ${t}-of-${n}`, runs, (clock) => ours(shares, t, clock)),
      measure(`  noble FROST Taproot ${t}-of-${n}`, Math.ceil(runs / 5), (clock) =>
        noble(theirs, t, clock),
      ),
    ]
  })
}

function ours(shares: readonly KeyShare[], t: number, clock: Clock): void {
  const signers = shares.slice(0, t)
  const quorum = signers.map(({ self }) => self)
  const hedge = random(32)
  const committed = signers.map((keyShare) => ({
    keyShare,
    ...clock(keyShare.self, () => taprootCommit({ secret: keyShare.secret, hedge }, random)),
  }))
  const commitments = new Map(
    committed.map(({ keyShare, commitment }) => [keyShare.self, commitment]),
  )
  const answers = new Map<Party, Uint8Array>()
  for (const { keyShare, nonces } of committed) {
    const answer = clock(keyShare.self, () =>
      taprootSign({ keyShare, quorum, commitments, message, nonces, ...spend }),
    )
    assert(answer.ok)
    answers.set(keyShare.self, answer.share)
  }
  const known = { ...publicOf(shares), quorum, commitments, message, ...spend }
  assert(clock('coordinator', () => taprootAggregate({ ...known, shares: answers })).ok)
}

function noble(key: ReturnType<typeof schnorr_FROST.trustedDealer>, t: number, clock: Clock): void {
  const signers = Object.values(key.secretShares).slice(0, t)
  const committed = signers.map((secret, i) => ({
    secret,
    ...clock(i + 1, () => schnorr_FROST.commit(secret)),
  }))
  const list = committed.map(({ commitments }) => commitments)
  const answers = committed.map(({ secret, nonces }, i) => [
    secret.identifier,
    clock(i + 1, () => schnorr_FROST.signShare(secret, key.public, nonces, list, message)),
  ])
  clock('coordinator', () =>
    schnorr_FROST.aggregate(key.public, list, message, Object.fromEntries(answers)),
  )
}
