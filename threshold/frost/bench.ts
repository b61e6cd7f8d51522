import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { generateShares } from '../dkg/ceremony.ts'
import type { KeyShare } from '../dkg/context.ts'
import { type Clock, measure, type Row } from '../measure.ts'
import { frostAggregate } from '../public/aggregate.ts'
import type { Party } from '../session.ts'
import { frostCommit } from './nonces.ts'
import { frostSign } from './sign.ts'

type Size = { readonly n: number; readonly t: number }
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const message = random(100)

export function benchFrost(runs: number, sizes: readonly Size[]): readonly Row[] {
  return sizes.flatMap(({ n, t }) => {
    const shares = generateShares({ group: 'ed25519', n, t }, random)
    const theirs = ed25519_FROST.trustedDealer({ min: t, max: n })
    return [
      measure(`FROST Ed25519 ${t}-of-${n}`, runs, (clock) => ours(shares.slice(0, t), clock)),
      measure(`  noble FROST Ed25519 ${t}-of-${n}`, Math.ceil(runs / 5), (clock) =>
        noble(theirs, t, clock),
      ),
    ]
  })
}

function ours(shares: readonly KeyShare[], clock: Clock): void {
  const quorum = shares.map(({ self }) => self)
  const hedge = random(32)
  const committed = shares.map((keyShare) => ({
    keyShare,
    ...clock(keyShare.self, () => frostCommit({ secret: keyShare.secret, hedge }, random)),
  }))
  const commitments = new Map(
    committed.map(({ keyShare, commitment }) => [keyShare.self, commitment]),
  )
  const answers = new Map<Party, Uint8Array>()
  for (const { keyShare, nonces } of committed) {
    const answer = clock(keyShare.self, () =>
      frostSign({ keyShare, quorum, commitments, message, nonces }),
    )
    assert(answer.ok)
    answers.set(keyShare.self, answer.share)
  }
  const [{ publicKey, publicShares } = { publicKey: hedge, publicShares: [] }] = shares
  const byParty = new Map(publicShares.map((point, i) => [i + 1, point]))
  const result = clock('coordinator', () =>
    frostAggregate({
      publicKey,
      publicShares: byParty,
      quorum,
      commitments,
      message,
      shares: answers,
    }),
  )
  assert(result.ok)
}

function noble(key: ReturnType<typeof ed25519_FROST.trustedDealer>, t: number, clock: Clock): void {
  const signers = Object.values(key.secretShares).slice(0, t)
  const committed = signers.map((secret, i) => ({
    secret,
    ...clock(i + 1, () => ed25519_FROST.commit(secret)),
  }))
  const list = committed.map(({ commitments }) => commitments)
  const answers = committed.map(({ secret, nonces }, i) => [
    secret.identifier,
    clock(i + 1, () => ed25519_FROST.signShare(secret, key.public, nonces, list, message)),
  ])
  clock('coordinator', () =>
    ed25519_FROST.aggregate(key.public, list, message, Object.fromEntries(answers)),
  )
}
