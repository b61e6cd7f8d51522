/** The rows of migration 0038, by hand. Times are milliseconds since 1970. */
export type RecoveryTables = {
  readonly recoveries: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly recovery_id: string
    readonly user: Uint8Array
    readonly created_at: number
    readonly effective_at: number
    /** The mail at its end, which is taken back if it is cancelled. */
    readonly last_mail: string | null
  }
}
