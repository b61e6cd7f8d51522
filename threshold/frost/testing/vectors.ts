import assert from 'node:assert/strict'
import { fromHex, toHex } from '@quorate/core/bytes'
import type { Party } from '../../session.ts'
import type { Aggregated, Aggregation } from '../aggregate.ts'
import { bind, readCommitments } from '../commitments.ts'
import { FrostNonces, nonceFrom } from '../nonces.ts'
import type { FrostSigning, Signed } from '../sign.ts'
import type { Suite } from '../suite.ts'

/** What a suite is tested with: its hash functions, and the two functions that others call. */
export type Tested = {
  readonly suite: Suite
  readonly sign: (signing: FrostSigning) => Signed
  readonly aggregate: (input: Aggregation) => Aggregated
}

export type Vector = {
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

export function checkVector({ suite, sign, aggregate }: Tested, vector: Vector): void {
  const { group } = suite
  const { signers } = vector
  const quorum = signers.map(({ party }) => party)
  const nonces = new Map(
    signers.map((signer) => {
      const secret = fromHex(signer.secret)
      const hiding = nonceFrom(suite, fromHex(signer.hidingRandomness), secret)
      const binding = nonceFrom(suite, fromHex(signer.bindingRandomness), secret)
      assert.equal(toHex(hiding), signer.hidingNonce)
      assert.equal(toHex(binding), signer.bindingNonce)
      return [signer.party, new FrostNonces(group, { hiding, binding })]
    }),
  )
  const commitments = new Map([...nonces].map(([party, { commitment }]) => [party, commitment]))
  const message = fromHex(vector.message)
  const publicKey = fromHex(vector.publicKey)
  const read = readCommitments(group, quorum, commitments)
  assert.ok(read.ok)
  const { factors } = bind(suite, read.list, { publicKey, message })
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
    const answer = sign({ keyShare, quorum, commitments, message, nonces: own })
    assert.ok(answer.ok)
    assert.equal(toHex(answer.share.subarray(group.pointSize)), signer.share)
    shares.set(party, answer.share)
  }
  const publicShares = new Map(
    signers.map(({ party, secret }) => [
      party,
      group.encode(group.multiplyBase(group.scalarFromBytes(fromHex(secret)) ?? 0n)),
    ]),
  )
  const result = aggregate({ publicKey, publicShares, quorum, commitments, message, shares })
  assert.ok(result.ok)
  assert.equal(toHex(result.signature), vector.signature)
}

export type VectorFile = {
  readonly config: { readonly MAX_PARTICIPANTS: string; readonly NUM_PARTICIPANTS: string }
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

/** The form of the vectors of ZcashFoundation/frost. */
export function fromFile({ config, inputs, ...rounds }: VectorFile): Vector {
  const secrets = new Map(inputs.participant_shares.map((s) => [s.identifier, s.participant_share]))
  const answers = new Map(rounds.round_two_outputs.outputs.map((s) => [s.identifier, s.sig_share]))
  return {
    message: inputs.message,
    publicKey: inputs.verifying_key_key,
    // These let more sign than need be; a quorum here is exactly t.
    t: Number(config.NUM_PARTICIPANTS),
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
