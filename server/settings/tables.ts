/** The rows of migration 0044, by hand. */
export type SettingsTables = {
  readonly settings_proposals: {
    readonly organization: Uint8Array
    /** Hash of the outcome. */
    readonly proposal: Uint8Array
    readonly settings: Uint8Array
    readonly root_quorum: Uint8Array
    readonly created_at: number
  }
  /** Migration 0045. */
  readonly organization_origins: {
    readonly organization: Uint8Array
    readonly origin: string
  }
}
