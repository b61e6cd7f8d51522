/** The rows of migrations 0140 to 0144, 0194 and 0215, by hand. Times are milliseconds since 1970. */
export type WebhookTables = {
  readonly webhooks: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    readonly webhook_id: string
    readonly url: string
    readonly description: string | null
    /** JSON: kinds of events, or `*`. */
    readonly events: string
    readonly status: 'Enabled' | 'Disabled'
    /** Sealed: what its events are signed with. */
    readonly secret: Uint8Array
    readonly created_at: number
    readonly updated_at: number
    /** The first attempt that failed since one was received. Empty: the last one was received. */
    readonly failing_since: number | null
  }
  readonly webhook_changes: {
    readonly organization: Uint8Array
    readonly webhook: Uint8Array
    /** SHA-256 of the pre-image. */
    readonly request: Uint8Array
    /** `encodeEvidence`: the request as it was signed. */
    readonly evidence: Uint8Array
    readonly changed_at: number
  }
  readonly deliveries: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    /** The wire's name of the id. */
    readonly delivery_id: string
    readonly webhook: Uint8Array
    /** The row of `outbox` that has what there is to tell. */
    readonly event: Uint8Array
    readonly kind: string
    /** Of whose events one comes after the other. */
    readonly subject: string | null
    /** From 1. */
    readonly attempt: number
    /** The wire's name of the first attempt, for all that follow. */
    readonly first: string | null
    readonly raised_at: number
    /**
     * When it is to be made, unless something of its subject is before it; among what is ready, the
     * earliest goes first; of what somebody has, when others may take it. Empty: it was made.
     */
    readonly due_at: number | null
    /** It may be taken this moment. */
    readonly ready: boolean
    readonly lease_holder: string | null
    readonly sent_at: number | null
    /** As an HTTP status, or a word why there was none. */
    readonly status: string | null
    readonly error: string | null
    readonly next_attempt_at: number | null
  }
}
export type WebhookRow = WebhookTables['webhooks']
export type Delivery = WebhookTables['deliveries']
