/** The rows of migration 0190, by hand. */
export type FeeSponsorTables = {
  readonly fee_sponsors: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly wallet: Uint8Array
    readonly name: string | null
    readonly created_at: number
  }
}
