import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { encode } from '@quorate/core/codec'
import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { assertionsCodec } from '@quorate/authority/credential'
import { encodePreimage } from '@quorate/authority/request'
import type { WalletRow } from '../../wallets/find.ts'
import { actionFor, type Treasury, type WishOfAny } from './treasury.ts'

/** As if the client had gone through `/auth/action`: what it signed, under a token for once. */
export async function signedPost(
  treasury: Treasury,
  wallet: WalletRow,
  wish: WishOfAny,
): Promise<{ path: string; payload: string; headers: Record<string, string> }> {
  const action = actionFor(treasury, wallet, wish)
  const { preimage, payload, salt, assertions } = action.evidence(new Uint8Array())
  const { organization, user, token } = treasury.caller
  const userAction = randomBytes(16).toString('hex')
  const [now, later] = [Date.now(), Date.now() + 60_000]
  const row = {
    ...{ organization, request: action.request, user, token: token?.id ?? null },
    ...{ identifier: new Uint8Array(randomBytes(32)), preimage, payload, salt },
    ...{ issued_at: now, expires_at: later, action_expires_at: later, used_at: null },
    assertion: encode(assertionsCodec, assertions),
    action: sha256(toUtf8(userAction)),
  }
  assert.deepEqual(encodePreimage(action.preimage), preimage)
  await treasury.database.insertInto('challenges').values(row).execute()
  const headers = { 'content-type': 'application/json', 'x-dfns-useraction': userAction }
  return { path: action.preimage.path, payload, headers }
}
