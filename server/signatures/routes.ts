import * as api from '@quorate/api/signatures'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import { findKey } from '../keys/find.ts'
import { newestThatFit, pageOf, type Paging } from '../page.ts'
import { findWallet } from '../wallets/find.ts'
import { signatureOf, walletSignatureOf, type SignatureRow } from './entity.ts'
import { findSignature, type SignaturePlace } from './find.ts'
import { requestSignature, type RequestDeps } from './request.ts'

const { route } = routing<Caller>()

export function signatureRoutes(deps: RequestDeps): readonly Route<Caller>[] {
  return [...ofKeys(deps), ...ofWallets(deps)]
}

function ofKeys(deps: RequestDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.generateKeySignature, async ({ caller, raw, params }) => {
      const row = await findKey(database, caller, params.keyId)
      const { id: key, scheme, curve, public_key, untweaked } = row
      const signWith = { key, scheme, curve, public_key, untweaked, standing: row }
      return signatureOf(await requestSignature(deps, caller, raw, signWith))
    }),
    route(api.listKeySignatures, async ({ caller, params: { keyId }, query }) => {
      const { id } = await findKey(database, caller, keyId)
      return {
        keyId,
        ...(await list(database, { column: 'key', id }, { caller, query, itemOf: signatureOf })),
      }
    }),
    route(api.getKeySignature, async ({ caller, params: { keyId, signatureId } }) => {
      const { id } = await findKey(database, caller, keyId)
      return signatureOf(await findSignature(database, caller, signatureId, { column: 'key', id }))
    }),
  ]
}

function ofWallets(deps: RequestDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.generateWalletSignature, async ({ caller, raw, params }) => {
      const row = await findWallet(database, caller, params.walletId)
      const { id, network, key, scheme, curve, public_key } = row
      // No network of wallets is signed for by Schnorr, in whatever way.
      const signer = { key, scheme, curve, public_key, untweaked: false }
      const signWith = { ...signer, standing: row, wallet: { id, network } }
      return walletSignatureOf(await requestSignature(deps, caller, raw, signWith))
    }),
    route(api.listWalletSignatures, async ({ caller, params: { walletId }, query }) => {
      const { id, key_id: keyId } = await findWallet(database, caller, walletId)
      const page = await list(
        database,
        { column: 'wallet', id },
        { caller, query, itemOf: walletSignatureOf },
      )
      return { keyId, walletId, ...page }
    }),
    route(api.getWalletSignature, async ({ caller, params: { walletId, signatureId } }) => {
      const { id } = await findWallet(database, caller, walletId)
      const place = { column: 'wallet', id } as const
      return walletSignatureOf(await findSignature(database, caller, signatureId, place))
    }),
  ]
}

async function list<Item>(
  database: Database,
  place: SignaturePlace,
  ask: {
    readonly caller: Caller
    readonly query: Paging
    readonly itemOf: (row: SignatureRow) => Item
  },
) {
  const { caller, query, itemOf } = ask
  const rows = database
    .selectFrom('signature_requests')
    .selectAll()
    .where('organization', '=', caller.organization)
    .where(place.column, '=', place.id)
  const { found, limit } = await newestThatFit(rows, query, {
    weighed: ['evidence', 'result'],
    columns: ['requested_at', 'id'],
  })
  return pageOf(found, limit, {
    positionAt: ({ requested_at, id }) => ({ at: requested_at, id }),
    itemOf,
  })
}
