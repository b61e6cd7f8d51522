import type { Scheme } from '@quorate/effects/networks'
/** Rows of migrations 0010 to 0012 and 0030 to 0043, by hand. Times are milliseconds since 1970. */
export type IdentityTables = {
  readonly root_applied: { readonly organization: Uint8Array; readonly seq: number }
  readonly organizations: {
    readonly id: Uint8Array
    readonly org_id: string
    readonly name: string
    readonly created_at: number
  }
  readonly users: Of<{
    readonly user_id: string
    readonly kind: 'employee' | 'endUser' | 'serviceAccount'
    readonly username: string
    readonly external_id: string | null
    /** By which requests a service account is called so. */
    readonly named_in: Uint8Array | null
    readonly external_id_in: Uint8Array | null
  }>
  readonly credentials: Of<{
    readonly cred_id: string
    readonly user: Uint8Array
    readonly token: Uint8Array | null
    readonly fingerprint: Uint8Array
    readonly public_key: string
    /** Empty where nobody has given one. */
    readonly name: string | null
    /** Of a passkey: from where it was made. */
    readonly origin: string | null
    /** As its owner's client has sealed it; of no use to anybody else. */
    readonly encrypted_private_key: string | null
  }>
  readonly tokens: Of<{
    readonly token_id: string
    readonly user: Uint8Array
    readonly credential: Uint8Array
    readonly expires_at: number
    /** Of a personal access token. */
    readonly name: string | null
    readonly external_id: string | null
    readonly archived_at: number | null
  }>
  readonly permissions: Of<{
    readonly updated_at: number | null
    readonly managed: 'fullAccess' | 'endUsers' | null
    readonly archived_at: number | null
  }>
  readonly assignments: Of<{
    readonly permission: Uint8Array
    readonly identity: Uint8Array
    readonly identity_id: string
  }>
  readonly keys: Of<{
    readonly key_id: string
    readonly name: string | null
    readonly scheme: Scheme
    readonly curve: 'secp256k1' | 'ed25519' | 'stark'
    readonly public_key: Uint8Array
    /** Of a derived key, its master's. */
    readonly certificate: Uint8Array
    readonly master: boolean
    /** A Schnorr key that signs as itself. */
    readonly untweaked: boolean
    /** Full id of the master of a derived key. */
    readonly derived_from: Uint8Array | null
    readonly derivation_path: string | null
    /** An end user; empty for a key of the organization. */
    readonly owner: Uint8Array | null
    /** The service account that has made it to be delegated, until it is. */
    readonly delegable_by: Uint8Array | null
    /** By which request it is called so. */
    readonly named_in: Uint8Array | null
    readonly deleted_at: number | null
  }>
  readonly wallets: Of<{
    readonly wallet_id: string
    readonly key: Uint8Array
    readonly network: string
    readonly address: string | null
    readonly name: string | null
    readonly external_id: string | null
    readonly named_in: Uint8Array | null
    readonly external_id_in: Uint8Array | null
    /** JSON. */
    readonly tags: string
    /** Its key's, for lists. */
    readonly owner: Uint8Array | null
  }>
  readonly agreement_acceptances: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    readonly agreement_id: string
    readonly accepted_at: number
  }
  readonly names: {
    readonly organization: Uint8Array
    readonly scope: Uint8Array
    readonly name: string
    readonly holder: Uint8Array
    readonly request: Uint8Array
    /** Empty: the holder exists. */
    readonly lapses_at: number | null
  }
  readonly challenges: {
    readonly organization: Uint8Array
    readonly request: Uint8Array
    readonly user: Uint8Array
    readonly token: Uint8Array | null
    /** SHA-256 of what the client was given. */
    readonly identifier: Uint8Array
    readonly preimage: Uint8Array
    /** Empty: it is not to be kept, and comes again with the request. */
    readonly payload: string | null
    readonly salt: Uint8Array
    readonly issued_at: number
    readonly expires_at: number
    /** Encoded, once it has been verified. */
    readonly assertion: Uint8Array | null
    /** SHA-256 of the user action token. */
    readonly action: Uint8Array | null
    readonly action_expires_at: number | null
    readonly used_at: number | null
    /** The life of a server that is at it; see the migration. */
    readonly begun_by: Uint8Array | null
  }
  readonly sessions: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly user: Uint8Array
    readonly generation: number
    readonly began_at: number
    readonly expires_at: number
    readonly ended_at: number | null
  }
  readonly local_credentials: Of<{
    readonly user: Uint8Array
    readonly kind: 'Password' | 'Totp'
    readonly name: string
    readonly secret: Uint8Array
    readonly status: 'active' | 'inactive'
    readonly last_step: number | null
  }>
  readonly issuer_secrets: {
    readonly organization: Uint8Array
    readonly issuer: string
    readonly client_id: string
    readonly secret: Uint8Array
  }
  readonly logins: { readonly request: Uint8Array; readonly expires_at: number }
  readonly external_ids: {
    readonly organization: Uint8Array
    /** The end user, or the organization again. */
    readonly owner: Uint8Array
    readonly kind: string
    readonly external_id: string
    readonly fingerprint: Uint8Array
    readonly entity_id: string
  }
  readonly outbox: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly kind: string
    /** JSON. */
    readonly data: string
    readonly created_at: number
    /** When its receivers were found. */
    readonly dispatched_at: number | null
  }
  readonly signature_requests: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly signature_id: string
    readonly key: Uint8Array
    readonly wallet: Uint8Array | null
    readonly network: string | null
    readonly user_id: string
    readonly token_id: string | null
    /** `encodeEvidence`: enough to ask for the same signature again. */
    readonly evidence: Uint8Array
    readonly external_id: string | null
    /** SHA-256 of the pre-image. */
    readonly request: Uint8Array
    readonly status: 'Pending' | 'Executing' | 'Signed' | 'Failed' | 'Rejected'
    /** The one that it waits for, or has waited for. */
    readonly approval_id: string | null
    /** When policies, or those whom they ask, had come to an end with it. */
    readonly policy_resolved_at: number | null
    readonly reason: string | null
    /** JSON of the members that the signature adds to the answer. */
    readonly result: string | null
    readonly requested_at: number
    readonly signed_at: number | null
  }
}

/** What every object of an organization has. */
type Of<Members> = Members & {
  readonly organization: Uint8Array
  readonly id: Uint8Array
  readonly created_at: number
}
