import assert from 'node:assert/strict'
import { toUtf8 } from '@quorate/core/bytes'
import type { KeyShare } from '../../dkg/context.ts'
import type { Aggregated } from '../../frost/aggregate.ts'
import type { FrostNonces } from '../../frost/nonces.ts'
import { groupOf } from '../../group/groups.ts'
import { taprootAggregate, type TaprootAggregation } from '../../public/taproot.ts'
import type { Party, Random } from '../../session.ts'
import { split } from '../../sharing/sharing.ts'
import type { Birth } from '../key.ts'
import { taprootCommit, taprootSign, type TaprootSigning } from '../sign.ts'

const group = groupOf('secp256k1')

/** Signatures of one quorum, every party in this process: for tests and measurements. */
export type Signatures = {
  readonly shares: readonly KeyShare[]
  readonly quorum: readonly Party[]
  readonly birth: Birth
  readonly merkleRoot: Uint8Array | undefined
  readonly message: Uint8Array
}
export type Session = ReturnType<typeof startSession>

export function startSession(
  { shares, quorum, ...what }: Signatures,
  random: Random,
  noncesOf: (party: Party) => FrostNonces = (party) =>
    taprootCommit({ secret: shareOf(shares, party).secret, hedge: toUtf8('test') }, random).nonces,
) {
  const nonces = new Map(quorum.map((party) => [party, noncesOf(party)]))
  const commitments = new Map([...nonces].map(([party, { commitment }]) => [party, commitment]))
  const signing = (party: Party): TaprootSigning => {
    const own = nonces.get(party)
    assert.ok(own)
    return { keyShare: shareOf(shares, party), quorum, commitments, nonces: own, ...what }
  }
  return {
    commitments,
    signing,
    sign: (): ReadonlyMap<Party, Uint8Array> =>
      new Map(
        quorum.map((party) => {
          const answer = taprootSign(signing(party))
          assert.ok(answer.ok)
          return [party, answer.share]
        }),
      ),
    aggregate: (
      answers: ReadonlyMap<Party, Uint8Array>,
      other: Partial<TaprootAggregation> = {},
    ): Aggregated =>
      taprootAggregate({
        ...publicOf(shares),
        quorum,
        commitments,
        ...what,
        shares: answers,
        ...other,
      }),
  }
}

export function publicOf(
  shares: readonly KeyShare[],
): Pick<TaprootAggregation, 'publicKey' | 'publicShares'> {
  const { publicKey, publicShares } = shareOf(shares, 1)
  return { publicKey, publicShares: new Map(publicShares.map((point, i) => [i + 1, point])) }
}

export function shareOf(shares: readonly KeyShare[], party: Party): KeyShare {
  const share = shares[party - 1]
  assert.ok(share)
  return share
}

/** The shares of a key that the test knows, without a key generation. */
export function dealt(
  { secret, n, t }: { readonly secret: Uint8Array; readonly n: number; readonly t: number },
  random: Random,
): readonly KeyShare[] {
  const { shares, commitments } = split({ group: 'secp256k1', secret, n, t }, random)
  const [publicKey] = commitments
  assert.ok(publicKey)
  const publicShares = shares.map((share) =>
    group.encode(group.multiplyBase(group.scalarFromBytes(share) ?? 0n)),
  )
  const common = { group: 'secp256k1', n, t, publicKey, publicShares } as const
  const nothing = new Uint8Array(32)
  return shares.map((share, i) => ({
    ...common,
    self: i + 1,
    secret: share,
    chainCode: nothing,
    transcript: nothing,
  }))
}
