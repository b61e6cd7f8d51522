/** The rows of migrations 0030 to 0032 and 0201, by hand. Times are milliseconds since 1970. */
export type PeopleTables = {
  readonly one_time_codes: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    readonly purpose: string
    readonly hash: Uint8Array
    readonly request: Uint8Array | null
    readonly expires_at: number
  }
  readonly attempts: {
    readonly organization: Uint8Array
    readonly subject: Uint8Array
    readonly began_at: number
    readonly count: number
  }
  readonly newcomer_challenges: {
    readonly organization: Uint8Array
    readonly request: Uint8Array
    readonly user: Uint8Array
    readonly purpose: 'register' | 'recover'
    readonly preimage: Uint8Array
    readonly salt: Uint8Array
    readonly issued_at: number
    readonly expires_at: number
    readonly used_at: number | null
    /** SHA-256 of what it was used for, if that may come again. */
    readonly handed_in: Uint8Array | null
  }
  readonly usernames: {
    readonly organization: Uint8Array
    readonly kind: 'employee' | 'endUser'
    readonly username: string
    readonly user: Uint8Array
    /** Empty: the user exists. */
    readonly lapses_at: number | null
  }
  readonly erasures_due: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    /** Since when it is in force. */
    readonly time: number
  }
}
