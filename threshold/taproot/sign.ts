import type { KeyShare } from '../dkg/context.ts'
import { refused } from '../frost/commitments.ts'
import { type Committed, type Committing, commitWith } from '../frost/nonces.ts'
import { type FrostSigning, type Signed, signWith } from '../frost/sign.ts'
import { groupOf } from '../group/groups.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Random } from '../session.ts'
import { type SigningKey, signingKeyOf, type Spend } from './key.ts'
import { taprootSuite } from './suite.ts'

const group = groupOf('secp256k1')

export type TaprootSigning = Omit<FrostSigning, 'keyShare'> & {
  readonly keyShare: Pick<KeyShare, 'self' | 'n' | 't' | 'secret' | 'publicKey'>
} & Pick<Spend, 'birth' | 'merkleRoot'>

/** Round one: RFC 9591, section 5.1. It knows neither message nor tweak. */
export function taprootCommit(input: Committing, random: Random): Committed {
  return commitWith(taprootSuite, input, random)
}

/**
 * Round two: RFC 9591, section 5.2, for the key that BIP 341 makes of this one. The nonces are gone
 * from here on, whatever comes of it.
 */
export function taprootSign(signing: TaprootSigning): Signed {
  const { keyShare, birth, merkleRoot, nonces } = signing
  const key = signingKeyOf({ publicKey: keyShare.publicKey, birth, merkleRoot })
  if (!key.ok || !group.secrets.isScalar(keyShare.secret)) {
    nonces.forget()
    return key.ok ? refused('unusable key share', []) : key
  }
  const secret = secretOf(key, keyShare.secret)
  const tweakedShare = { ...keyShare, secret, publicKey: key.publicKey }
  const signed = signWith(taprootSuite, { ...signing, keyShare: tweakedShare })
  secret.fill(0)
  return signed
}

/** The signs are public: which of the two sums is formed tells nothing of the secret. */
function secretOf({ negated, addend }: SigningKey, secret: Scalar): Scalar {
  const { add, subtract } = group.secrets
  const added = group.scalarToBytes(addend)
  return negated ? subtract(added, secret) : add(added, secret)
}
