import { isFailure } from '@quorate/core/failure'
import type { Evidence } from '@quorate/authority/step'
import type { Caller } from '../auth/caller.ts'
import type { Log } from '../auth/log.ts'
import { releaseAction, useAction, type SignedAction } from '../auth/use-action.ts'
import { inTransaction, type Database } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { applyRoot } from '../orgs/apply.ts'

/** Key generation by all signers. Nothing of it is seen until the root stream says so. */
export type CreateKey = (ask: {
  readonly organization: Uint8Array
  readonly evidence: Evidence
}) => Promise<{ readonly certificate: Uint8Array }>

export type CreationDeps = {
  readonly database: Database
  readonly log: Log
  readonly createKey: CreateKey
  readonly now: () => number
}

/**
 * What a user's request brings into the root stream together with a key, or a key by itself. A
 * server that dies on the way has burned a request and left nothing: shares without an owner are
 * swept, and rows are made of what is in force alone.
 */
export async function createSettled(
  { database, log, createKey, now }: CreationDeps,
  caller: Caller,
  raw: RawRequest,
  kind: { readonly item: 'key' | 'wallet'; readonly bearsKey: (payload: string) => boolean },
): Promise<SignedAction> {
  const { organization } = caller
  const action = await inTransaction(database, (transaction) =>
    useAction(transaction, caller, raw, now()),
  )
  try {
    const asked = action.evidence(new Uint8Array())
    const evidence = kind.bearsKey(action.payload)
      ? action.evidence((await createKey({ organization, evidence: asked })).certificate)
      : asked
    await log.settle({ organization, kind: kind.item, evidence })
  } catch (error) {
    if (isFailure(error, 'signers.unavailable'))
      await releaseAction(database, organization, action.request)
    throw error
  }
  await applyRoot(database, organization)
  return action
}
