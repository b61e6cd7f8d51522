import { concat, equalBytes } from '@quorate/core/bytes'
import { decodeFacts, type Facts } from '@quorate/effects/facts'
import { verifySignature } from '@quorate/threshold/public/verify'
import type { Signed } from '../coordinator/coordinator.ts'
import { unlessInTime } from '../transfers/agreed.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import { evidenceOf } from '../transfers/reading.ts'
import { signing } from '../transfers/sign.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { putDown, sponsorshipRow, untilSent } from './row.ts'
import type { Sponsor } from './sponsor.ts'
import { sponsoredEffect } from './terms.ts'

/**
 * Has the account sign, and in the same write there is what its sponsor is to send: from then on that
 * alone decides what becomes of it.
 */
export async function signSponsored(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  return signing(deps, row, async () => {
    const over = await unlessInTime(deps, row)
    if (over !== undefined) return over
    const sponsor = await sponsorOfRow(deps, row)
    const { organization, key } = row
    const evidence = evidenceOf(row)
    const signed = await deps.coordinator.sign({
      organization,
      key,
      evidence,
      isWanted: deps.isHeld,
    })
    checkSigned(deps, { row, sponsor }, signed)
    return {
      kind: 'move',
      event: 'sign',
      waiting: untilSent,
      within: async (transaction) => {
        await putDown(transaction, sponsorshipRow(row, sponsor, deps.now))
        return {}
      },
    }
  })
}

/** The signatures are over what the facts make of the payload, and hold. */
function checkSigned(
  { chain }: Pick<StepDeps, 'chain'>,
  { row, sponsor }: { readonly row: Outgoing; readonly sponsor: Sponsor },
  { digests, signatures, facts }: Signed,
): void {
  const said: Facts = decodeFacts(facts)
  const expected = sponsoredEffect(chain, row, sponsor, said).signing
  const isWhole = expected.length === digests.length && expected.length === signatures.length
  if (!isWhole) throw new TypeError('the signers have agreed on other bytes than these')
  for (const [i, signature] of signatures.entries()) {
    const [wanted, agreed] = [expected[i], digests[i]]
    if (wanted === undefined || !('digest' in wanted) || agreed === undefined)
      throw new TypeError('an account signs digests')
    if (!equalBytes(wanted.digest, agreed))
      throw new TypeError('the signers have agreed on other bytes than these')
    if (signature.scheme !== 'ECDSA') throw new TypeError('an account signs by ECDSA')
    const { r, s } = signature
    if (!verifySignature('ECDSA', 'secp256k1', row.public_key, agreed, concat(r, s)))
      throw new TypeError('the signature does not hold')
  }
}
