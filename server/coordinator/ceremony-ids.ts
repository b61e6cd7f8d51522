import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Curve, Scheme } from '@quorate/authority/key-certificate'
import type { SessionCall } from '@quorate/wire/link'
import type { Protocol } from '@quorate/wire/packet'

type Ask<K extends SessionCall['kind']> = Extract<SessionCall, { readonly kind: K }>

/**
 * Every signer works out by itself which ceremony it takes part in. The carrier does so too, to
 * tell who is of another mind.
 */
const label = 'quorate/sid/1'

const protocols = { ECDSA: 'ecdsa', EdDSA: 'frost', Schnorr: 'taproot', DH: 'dh' } as const

export function protocolFor(scheme: Scheme): Protocol {
  return protocols[scheme]
}

export function signCeremony(
  manifest: Uint8Array,
  { organization, step, item, digest, quorum, nonce }: Ask<'sign'>,
  of: { readonly id: Uint8Array; readonly scheme: Scheme; readonly curve: Curve },
): Uint8Array {
  return hashOf(
    label,
    toUtf8(protocolFor(of.scheme)),
    manifest,
    organization,
    of.id,
    toUtf8(of.curve),
    step,
    Uint8Array.of(item),
    Uint8Array.of(digest),
    Uint8Array.from(quorum),
    nonce,
  )
}

export function keyCeremony(
  manifest: Uint8Array,
  { organization, nonce }: Ask<'generate'>,
  of: { readonly id: Uint8Array; readonly request: Uint8Array },
): Uint8Array {
  return hashOf(label, toUtf8('dkg'), manifest, organization, of.id, of.request, nonce)
}

export function pairCeremony(
  manifest: Uint8Array,
  { organization, participants, nonce }: Ask<'pair'>,
): Uint8Array {
  return hashOf(label, toUtf8('pair'), manifest, organization, Uint8Array.from(participants), nonce)
}

export function pooledCeremony(
  manifest: Uint8Array,
  { organization, scheme, curve, time, nonce }: Ask<'pool'>,
): Uint8Array {
  const kind = [toUtf8(scheme), toUtf8(curve), toUtf8(String(time))]
  return hashOf(label, toUtf8('pool'), manifest, organization, ...kind, nonce)
}
