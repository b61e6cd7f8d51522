import { toHex } from '@quorate/core/bytes'
import { sealsOf, statementBytes } from '@quorate/authority/agreement/messages'
import type { Manifest } from '@quorate/authority/manifest'
import { executionWindowMs, skewMsMax } from '@quorate/authority/step'
import type { InForce } from './log.ts'

/**
 * What whoever has taken something away may rely on: these signers have sealed it, each in words
 * that its key in the manifest verifies, and after `effectiveAt` no honest signer takes part in
 * anything that it forbids.
 *
 * A signature agreed upon just before may still be completed for one execution window. Voters take a
 * step whose time is that far from their clocks, and their clocks may be as far apart again. What is
 * signed by then can be broadcast for ever.
 */
export function receiptOf(
  { time, knownAt, certificate }: Omit<InForce, 'operation'>,
  { signers }: Pick<Manifest, 'signers'>,
) {
  const effectiveAt = Math.max(time, knownAt) + executionWindowMs + 2 * skewMsMax
  return {
    acknowledgedBy: sealsOf(certificate).map(({ statement, signature }) => ({
      signer: signers[statement.signer - 1]?.id ?? String(statement.signer),
      seal: toHex(statementBytes(statement)),
      signature: toHex(signature),
    })),
    effectiveAt: new Date(effectiveAt).toISOString(),
  }
}
