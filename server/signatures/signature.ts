import { bytesToBig, concat, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Evidence } from '@quorate/authority/step'
import { attachSignature, decodeUnsigned } from '@quorate/effects/evm/transaction'
import { decodeFacts } from '@quorate/effects/facts'
import { readIntent, type SignatureIntent } from '@quorate/effects/intent'
import type { Network, Networks, Scheme } from '@quorate/effects/networks'
import { networkOfSignature, plan } from '@quorate/effects/plan'

/** What the signers give, one for each message that a request signs. */
export type Signature =
  | {
      readonly scheme: 'ECDSA'
      readonly r: Uint8Array
      readonly s: Uint8Array
      readonly recid: number
    }
  | { readonly scheme: 'EdDSA' | 'Schnorr'; readonly signature: Uint8Array }
  /** No signature: what was derived, and the proof of it. */
  | { readonly scheme: 'DH'; readonly derived: Uint8Array }

/** The same request gets the same signatures, however often it is asked for. */
export type Sign = (ask: {
  readonly organization: Uint8Array
  readonly key: Uint8Array
  readonly evidence: Evidence
  readonly kind?: 'use' | 'sponsor' | undefined
  readonly bid?: number | undefined
}) => Promise<{
  readonly signatures: readonly Signature[]
  /** As they were agreed on. */
  readonly facts: Uint8Array
}>

/** The members of an answer that hold what was signed. */
export type SignatureResult = {
  readonly signature: EncodedSignature
  readonly signatures?: readonly EncodedSignature[]
  readonly signedData?: string
}
type EncodedSignature = {
  readonly r: string
  readonly s: string
  readonly recid?: number
  readonly encoded?: string
}

export type Signing = {
  readonly network: Network
  readonly scheme: Scheme
  readonly curve: Network['curve']
  readonly publicKey: Uint8Array
  readonly untweaked: boolean
  readonly intent: SignatureIntent
}

/** @throws Failure `request.unsupported` for a body that no key here can sign */
export function intentOf(payload: string): SignatureIntent {
  const read = readIntent('signature', payload)
  if (!read.ok) throw new Failure('request.unsupported', { reason: read.reason })
  if (read.intent.kind !== 'signature') throw new TypeError('asked for a signature')
  return read.intent
}

/** The wallet's network, or the one that a key by itself is told to sign for. */
export function networkOf(
  networks: Networks,
  intent: SignatureIntent,
  key: Pick<Signing, 'scheme' | 'curve'>,
): Network {
  const network = networkOfSignature(networks, intent, key)
  if (network === undefined)
    throw new Failure('request.unsupported', { reason: `unknown network ${intent.network}` })
  return network
}

/** In the encodings of the network's family. */
export function resultOf(
  signing: Signing,
  { signatures, facts }: Awaited<ReturnType<Sign>>,
): SignatureResult {
  const encoded = signatures.map((signature) => encodedOf(signing, signature))
  const [first] = encoded
  if (first === undefined) throw new TypeError('every signed request has a signature')
  const signedData = signedDataOf(signing, signatures, facts)
  return {
    signature: first,
    ...(encoded.length > 1 ? { signatures: encoded } : {}),
    ...(signedData === undefined ? {} : { signedData }),
  }
}

function encodedOf({ network }: Signing, signature: Signature): EncodedSignature {
  if (signature.scheme === 'DH') throw new TypeError('a DH key signs nothing')
  if (signature.scheme !== 'ECDSA') {
    const { signature: bytes } = signature
    return { r: hex(bytes.subarray(0, 32)), s: hex(bytes.subarray(32)) }
  }
  const { r, s, recid } = signature
  const plain = { r: hex(r), s: hex(s), recid }
  if (network.family !== 'evm') return plain
  return { ...plain, encoded: hex(concat(r, s, new Uint8Array([27 + parityOf(recid)]))) }
}

/** A transaction with its signature in its place, as a node takes it. */
function signedDataOf(
  { network, scheme, curve, publicKey, intent }: Signing,
  [signature]: readonly Signature[],
  facts: Uint8Array,
): string | undefined {
  if (intent.ask.kind !== 'Transaction' || signature?.scheme !== 'ECDSA') return undefined
  const planned = plan({ network, publicKey, scheme, curve, intent, facts: decodeFacts(facts) })
  if (!planned.ok || planned.effect.unsigned === undefined)
    throw new TypeError('what was signed can be built again')
  const { bytes } = attachSignature(decodeUnsigned(planned.effect.unsigned), {
    r: bytesToBig(signature.r),
    s: bytesToBig(signature.s),
    yParity: parityOf(signature.recid),
  })
  return hex(bytes)
}

/** Bit 1 says that r was reduced, which no chain's format has room for nor has ever needed. */
function parityOf(recid: number): 0 | 1 {
  return (recid & 1) === 1 ? 1 : 0
}

function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`
}
