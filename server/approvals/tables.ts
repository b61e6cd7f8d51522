import type { OperationName } from '@quorate/authority/operations'
import type { Activity } from '@quorate/authority/reduce/judging'

/** The rows of migration 0110, by hand. Times are milliseconds since 1970. */
export type ApprovalTables = {
  readonly approvals: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    /** The wire's name of the id. */
    readonly approval_id: string
    /** Where it stands, and the held request with it. */
    readonly stream: Uint8Array
    readonly seq: number
    readonly item: number
    /** SHA-256 of the held request's pre-image. */
    readonly request: Uint8Array
    readonly initiator_id: string
    readonly token_id: string | null
    readonly operation: OperationName
    readonly activity_kind: Activity['kind']
    /** Of a change of who may do what: the permission, assignment or policy. */
    readonly entity_id: string | null
    /** What no second change may be about while this one is open; of a derivation, what it gives. */
    readonly about: string | null
    /** `openingCodec`: its hash is the id. */
    readonly opening: Uint8Array
    /** As the log has it: that one has expired, the clock says. */
    readonly status: 'Pending' | 'Approved' | 'Denied'
    readonly expires_at: number
    readonly created_at: number
    readonly updated_at: number
    readonly resolved_at: number | null
    /** JSON of what policies said when it was opened. Empty until a worker has seen it. */
    readonly explained: string | null
    /** Names of users between spaces, or `*`: for lists. */
    readonly approvers: string | null
    readonly announced_at: number | null
    /** When receivers of events were told what has become of it. */
    readonly told_at: number | null
    /** When there is something to do. Empty: never again. */
    readonly due_at: number | null
    readonly lease_holder: string | null
    readonly lease_until: number
    readonly attempts: number
    readonly outcome: 'Applied' | 'Failed' | 'Rejected' | null
    readonly outcome_reason: string | null
    readonly finished_at: number | null
  }
  readonly approval_decisions: {
    readonly organization: Uint8Array
    readonly approval: Uint8Array
    readonly user: Uint8Array
    readonly value: 'Approved' | 'Denied'
    readonly reason: string | null
    readonly decided_at: number
  }
}
export type ApprovalRow = ApprovalTables['approvals']
export type DecisionRow = ApprovalTables['approval_decisions']
