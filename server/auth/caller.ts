/** Who asks: established by a bearer token, and active as of the newest records. */
export type Caller = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly user: Uint8Array
  readonly userId: string
  readonly username: string
  readonly kind: 'CustomerEmployee'
  readonly isServiceAccount: boolean
  /** The long-lived token used, if one was: a login session is no state. */
  readonly token?: {
    readonly id: Uint8Array
    readonly tokenId: string
    readonly kind: 'ServiceAccount'
  }
}

/** As entities name the one who asked for them. */
export function requesterOf({ userId, token }: Caller): { userId: string; tokenId?: string } {
  return token === undefined ? { userId } : { userId, tokenId: token.tokenId }
}
