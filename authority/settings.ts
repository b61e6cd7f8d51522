import { hash32, list, oneOf, struct, text, u64, u8 } from '@quorate/core/codec'
import type { Codec, Decoded } from '@quorate/core/codec'

export const rootMembersMax = 16

/**
 * What an organization lays down for itself, as signers enforce it: changed by its root quorum and
 * nobody else. Secrets of issuers, texts of mails and the like are the server's and not here.
 */
const relyingParty = struct({
  /** A domain, as WebAuthn level 2 section 5.1.2 has it, such as `example.com` or `localhost`. */
  id: text(253),
  /** From which its passkeys may be used, such as `https://app.example.com`. */
  origins: list(text(512), 32, 1),
})
export type RelyingParty = Decoded<typeof relyingParty>

const onOff = oneOf({ off: 0, on: 1 })
/** Is a newcomer's own word enough, or must somebody trusted cover his credentials? */
const enrolment = oneOf({ confirmed: 0, open: 1 })

/** Whose word is believed: that of whoever proposes, or only what each signer knows by itself? */
const factSource = oneOf({ Server: 0, Signer: 1 })

/** Social login and single sign-on: who may vouch for a name towards the server. */
const issuer = struct({
  use: oneOf({ social: 1, sso: 2 }),
  issuer: text(512),
  /** The audiences of identity tokens, or the one client of ours. */
  clientIds: list(text(256), 8, 1),
  redirectUris: list(text(512), 8),
})
export type Issuer = Decoded<typeof issuer>

export const settingsCodec = struct({
  relyingParties: list(relyingParty, 16),
  /** Must the authenticator have verified its user (a finger, a code), or only noticed him? */
  userVerification: oneOf({ preferred: 0, required: 1 }),
  enrolment: struct({ employees: enrolment, endUsers: enrolment }),
  /** Keys that the server keeps encrypted under a password: whoever owns it may guess. */
  passwordProtectedKeys: onOff,
  /** Passwords and one-time codes, which let in and prove nothing to a signer. */
  passwords: onOff,
  recovery: struct({
    /** Milliseconds from the request until the new credentials count and the old ones end. */
    waitMs: u64,
    /** May the old credentials use keys meanwhile? A thief of a phone would use the time. */
    usesWhileWaiting: oneOf({ refused: 0, allowed: 1 }),
  }),
  issuers: list(issuer, 16),
  /** Operations for which a client must prove that it looked at what it signs. */
  requireChecked: list(text(64), 64),
  /** Who may end a policy that nobody can change any more, and how long everybody else is warned. */
  breakGlass: struct({ needed: u8, members: list(hash32, rootMembersMax), waitMs: u64 }),
  /** What policies go by that no chain says. `Signer`: no signer votes against a source of its own. */
  factSources: struct({ prices: factSource, screenings: factSource }),
})
export type Settings = Decoded<typeof settingsCodec>

/** Nothing is open, nobody is waited for, no passkey is known: what a genesis leaves. */
export const defaultSettings: Settings = {
  relyingParties: [],
  userVerification: 'required',
  enrolment: { employees: 'confirmed', endUsers: 'confirmed' },
  passwordProtectedKeys: 'off',
  passwords: 'off',
  recovery: { waitMs: 0, usesWhileWaiting: 'refused' },
  issuers: [],
  requireChecked: [],
  breakGlass: { needed: 0, members: [], waitMs: 0 },
  factSources: { prices: 'Server', screenings: 'Server' },
}

/** A day: whoever is asleep, or travels, can still stop it. */
export const breakWaitMsMin = 24 * 60 * 60_000

/** A month: longer would be no recovery. */
export const recoveryWaitMsMax = 31 * 24 * 60 * 60_000

/**
 * How many of which users must want a change of settings. Users and not credentials: a member who
 * recovers, or adds a passkey, stays a member, and any of his own confirmed credentials speaks for
 * him.
 */
export const rootQuorumCodec: Codec<RootQuorum> = struct({
  needed: u8,
  members: list(hash32, rootMembersMax, 1),
})
export type RootQuorum = {
  readonly needed: number
  readonly members: readonly Uint8Array[]
}
