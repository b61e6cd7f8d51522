import { decodeRecord, organizationTable, recordKey } from '@quorate/authority/records'
import type { World } from './world.ts'

/** Which request the organization of this world began with: what its people pin. */
export function genesisIn({ ledger, root }: World): Uint8Array {
  const value = ledger.reader.read(root.stream, recordKey(organizationTable))
  if (value === undefined) throw new Error('there is no organization yet')
  return decodeRecord(organizationTable, value).genesis
}
