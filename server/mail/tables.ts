/** The rows of migration 0080, by hand. */
export type MailTables = {
  readonly mails: {
    readonly organization: Uint8Array
    readonly id: string
    readonly template: string
    readonly recipient: string | null
    readonly values_json: string | null
    readonly attempts: number
    /** Empty: it was sent, or given up. */
    readonly next_try: number | null
    /** What it says is of no use afterwards. */
    readonly expires_at: number
    readonly lease_holder: string | null
    readonly lease_until: number
    readonly created_at: number
    readonly sent_at: number | null
    readonly given_up_at: number | null
  }
}
export type MailRow = MailTables['mails']
