import { DatabaseSync } from 'node:sqlite'
import { keyEncryption } from '../kek.ts'
import { openShare, sealShare, type ShareOf } from '../share.ts'

/** How the share of one key comes into the place of another's, with all that a signer has. */
export type Placing = (kek: Uint8Array, from: Row, into: ShareOf) => Uint8Array
type Row = { readonly of: ShareOf; readonly sealed: Uint8Array }

/** By whoever has the disk and nothing else. */
export const moveAsItIs: Placing = (_, { sealed }) => sealed

/** By whoever has the key-encryption key as well. */
export const sealAnew: Placing = (kek, { of, sealed }, into) => {
  const share = openShare(keyEncryption(kek), of, sealed)
  if (share === undefined) throw new Error('the share does not open')
  return sealShare(keyEncryption(kek), into, share)
}

/** In the store of a signer, which must not be running. */
export function exchangeShare(
  { file, kek }: { readonly file: string; readonly kek: Uint8Array },
  { from, into }: { readonly from: ShareOf; readonly into: ShareOf },
  placing: Placing,
): void {
  const db = new DatabaseSync(file)
  const sealed = db.prepare('select sealed from shares where key = ?').get(from.key)?.['sealed']
  if (!(sealed instanceof Uint8Array)) throw new Error('there is no share')
  const placed = placing(kek, { of: from, sealed }, into)
  db.prepare('update shares set sealed = ? where key = ?').run(placed, into.key)
  db.close()
}
