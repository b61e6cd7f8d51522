import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { Preimage } from '../request.ts'
import type { AuthenticatorData } from './authenticator-data.ts'

/** A site that an organization's people use their passkeys on, and the pages that may ask there. */
export type RelyingParty = { readonly id: string; readonly origins: readonly string[] }

/** What an organization asks of passkeys. Key kinds have neither pages nor verified users. */
export type PasskeyPolicy = {
  readonly relyingParties: readonly RelyingParty[]
  readonly verification: Preimage['verification']
}

/** Origins are compared as texts: a browser writes each in one form (RFC 6454, section 6.2). */
export function serves(
  relyingParties: readonly RelyingParty[],
  { id, origin }: { readonly id: string; readonly origin: string },
): boolean {
  return relyingParties.some((party) => party.id === id && party.origins.includes(origin))
}

export function isFor(data: AuthenticatorData, relyingParty: string): boolean {
  return equalBytes(data.relyingPartyHash, sha256(toUtf8(relyingParty)))
}

/** Somebody touched it, whatever is asked; whether it knows who is asked of the verified alone. */
export function isVerified(
  { userPresent, userVerified }: AuthenticatorData,
  verification: Preimage['verification'],
): boolean {
  if (!userPresent) return false
  return verification !== 'verified' || userVerified
}
