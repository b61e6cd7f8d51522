/** The rows of migration 0111, by hand. */
export type PolicyTables = {
  readonly policies: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly status: 'Active' | 'Archived'
    readonly created_at: number
    readonly updated_at: number
  }
}
