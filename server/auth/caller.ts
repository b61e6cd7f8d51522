/** Who asks: established by a bearer token, and active as of the newest records. */
export type Caller = {
  readonly organization: Uint8Array
  readonly orgId: string
  readonly user: Uint8Array
  readonly userId: string
  readonly username: string
  readonly kind: 'CustomerEmployee' | 'EndUser'
  readonly isServiceAccount: boolean
  /** The long-lived token used, if one was: a login session is no state. */
  readonly token?: {
    readonly id: Uint8Array
    readonly tokenId: string
    readonly kind: 'ServiceAccount' | 'Pat'
  }
  /** The login session, where there is one: what a logout ends. */
  readonly session?: string
  /** Of a newcomer: the challenge that his temporary token is for, by SHA-256 of its pre-image. */
  readonly challenge?: Uint8Array
}

/** As entities name the one who asked for them. */
export function requesterOf({ userId, token }: Pick<Caller, 'userId' | 'token'>): {
  userId: string
  tokenId?: string
} {
  return token === undefined ? { userId } : { userId, tokenId: token.tokenId }
}

export function isEndUser({ kind }: Pick<Caller, 'kind'>): boolean {
  return kind === 'EndUser'
}
