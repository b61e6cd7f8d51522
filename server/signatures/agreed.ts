import { decodePreimage } from '@quorate/authority/request'
import { decodeEvidence, executionWindowMs, skewMsMax } from '@quorate/authority/step'
import { Failure } from '@quorate/core/failure'
import { Ledger } from '../coordinator/ledger.ts'
import { evidenceAt, standingAs } from '../coordinator/streams.ts'
import type { Database } from '../database/database.ts'
import type { SignatureRow } from './entity.ts'

type AgreedDeps = { readonly database: Database; readonly now: () => number }

/**
 * The facts on which signers have agreed that the request uses its key, whether they have signed or not:
 * from then on they sign these for it, whatever is said of it since.
 */
export async function agreedFacts(
  { database }: Pick<AgreedDeps, 'database'>,
  { organization, request }: SignatureRow,
): Promise<Uint8Array | undefined> {
  const asked = { kind: 'use', request } as const
  const standing = await standingAs(new Ledger(database), organization, asked)
  return standing && evidenceAt(standing).facts
}

/**
 * Before a request is called failed: what signers have agreed on, they may yet sign, for whichever
 * server asks them.
 * @throws Failure `signing.failed`
 */
export async function checkUnagreed(
  deps: AgreedDeps,
  row: SignatureRow,
  cause: Failure,
): Promise<void> {
  if (isSpent(row, deps.now()) || (await agreedFacts(deps, row)) === undefined) return
  const reason = 'the signers have agreed on it, and have not signed it yet'
  throw new Failure('signing.failed', { reason }, { cause })
}

/** Is the last moment over in which a signer, whatever his clock says, signs anything for it? */
function isSpent({ evidence }: SignatureRow, now: number): boolean {
  const { executeBefore } = decodePreimage(decodeEvidence(evidence).preimage)
  return now > executeBefore + executionWindowMs + 2 * skewMsMax
}
