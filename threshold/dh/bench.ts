import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { generateShares } from '../dkg/ceremony.ts'
import type { KeyShare } from '../dkg/context.ts'
import { type Clock, measure, type Row } from '../measure.ts'
import { dhCombine } from '../public/derive.ts'
import type { Party } from '../session.ts'
import { publicOf } from '../taproot/testing/parties.ts'
import { dhDerive } from './derive.ts'

type Size = { readonly n: number; readonly t: number }
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

export function benchDh(runs: number, sizes: readonly Size[]): readonly Row[] {
  return sizes.map(({ n, t }) => {
    const shares = generateShares({ group: 'secp256k1', n, t }, random)
    return measure(`DH derive ${t}-of-${n}`, runs, (clock) => derive(shares, t, clock))
  })
}

function derive(shares: readonly KeyShare[], t: number, clock: Clock): void {
  const signers = shares.slice(0, t)
  const asked = { domain: random(16), seed: random(16), sid: random(32) }
  const partials = new Map<Party, Uint8Array>()
  for (const keyShare of signers) {
    const derived = clock(keyShare.self, () => dhDerive({ keyShare, ...asked }, random))
    assert(derived.ok)
    partials.set(keyShare.self, derived.partial)
  }
  const quorum = signers.map(({ self }) => self)
  const known = { ...publicOf(shares), quorum, ...asked, partials }
  assert(clock('coordinator', () => dhCombine(known)).ok)
}
