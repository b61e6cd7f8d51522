import { decodePreimage } from '@quorate/authority/request'
import { decodeEvidence, executionWindowMs, skewMsMax } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { Failure } from '@quorate/core/failure'
import type { Concluding } from '../auth/log.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { evidenceAt, standingAs } from '../coordinator/streams.ts'
import type { Database } from '../database/database.ts'
import type { SignatureRow } from './entity.ts'

/**
 * The facts on which signers have agreed that the request uses its key, whether they have signed or not:
 * from then on they sign these for it, whatever is said of it since.
 * @returns nothing where no server has written down that they have agreed
 */
export async function agreedFacts(
  database: Database,
  { organization, request }: SignatureRow,
): Promise<Uint8Array | undefined> {
  const asked = { kind: 'use', request } as const
  const standing = await standingAs(new Ledger(database), organization, asked)
  return standing && evidenceAt(standing).facts
}

/**
 * Before a request is called failed: what signers have agreed on, they may yet sign, for whichever
 * server asks them. One may have died before it could write that down, so what is open ends first.
 * @throws Failure `signing.failed`, `signers.unavailable`, `clock.wrong`
 */
export async function checkUnagreed(
  deps: { readonly database: Database; readonly log: Concluding; readonly now: () => number },
  row: SignatureRow,
  cause: Failure,
): Promise<void> {
  if (isSpent(row, deps.now())) return
  await deps.log.conclude(row.organization, keyStream(row.key))
  if ((await agreedFacts(deps.database, row)) === undefined) return
  const reason = 'the signers have agreed on it, and have not signed it yet'
  throw new Failure('signing.failed', { reason }, { cause })
}

/** Is the last moment over in which a signer, whatever his clock says, signs anything for it? */
function isSpent({ evidence }: SignatureRow, now: number): boolean {
  const { executeBefore } = decodePreimage(decodeEvidence(evidence).preimage)
  return now > executeBefore + executionWindowMs + 2 * skewMsMax
}
