import type { RootItem } from '@quorate/authority/operations/operation'
import { rootOf } from '@quorate/authority/stream'
import type { WholeEvidence } from '@quorate/authority/step'
import { Ledger } from '../coordinator/ledger.ts'
import type { Database } from '../database/database.ts'
import type { Ask, Client } from './client.ts'
import type { SmallSigners } from './signers.ts'

/** As much of a world as it takes to change what its organization knows. */
export type RootParts = {
  readonly client: Client
  readonly signers: SmallSigners
  readonly database: Database
  readonly time: number
}

/**
 * What the administrator signs now, in force: signers have agreed on it, and the server's own rows of
 * the log have it, as well as all that they have agreed on there before.
 */
export async function settleInRoot(
  { client, signers, database, time }: RootParts,
  { kind, ...ask }: Omit<Ask, 'now'> & { readonly kind: RootItem },
): Promise<WholeEvidence> {
  const { organization } = client
  const root = { organization, stream: rootOf(organization) }
  const evidence = client.evidence({ ...ask, now: time })
  signers.agree(root, { kind, evidence }, time)
  const ledger = new Ledger(database)
  const length = 1 + (await ledger.headSeq(root))
  for (const { opaque, certified, writes } of signers.steps(root, length))
    await ledger.keep(root, opaque, { certificate: certified.certificate, writes })
  return evidence
}
