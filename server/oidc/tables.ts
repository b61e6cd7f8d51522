/** The rows of migration 0070, by hand. Times are milliseconds since 1970. */
export type OidcTables = {
  readonly oidc_states: {
    readonly organization: Uint8Array
    /** Of the nonce, which no two states share. */
    readonly hash: Uint8Array
    readonly expires_at: number
  }
}
