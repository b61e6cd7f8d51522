import { deriveKey } from '@quorate/api/keys'
import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { noFacts, encodeFacts } from '@quorate/effects/facts'
import { decodeDerived } from '@quorate/effects/instruction'
import { readIntent } from '@quorate/effects/intent'
import { pseudoNetworkOf } from '@quorate/effects/networks'
import { plan } from '@quorate/effects/plan'
import { outputOf } from '@quorate/threshold/public/derive'
import type { Caller } from '../auth/caller.ts'
import { useAction } from '../auth/use-action.ts'
import { inTransaction } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import type { ExecuteDeps } from '../signatures/execute.ts'
import type { Signature } from '../signatures/signature.ts'
import { findKey, type KeyRow } from './find.ts'
import { checkUsable } from './reach.ts'

const { route } = routing<Caller>()

/**
 * Nothing of it is kept here but the burned request: a server that dies on the way is asked again,
 * and the same domain and seed give the same.
 */
export function derivationRoutes(
  deps: Pick<ExecuteDeps, 'database' | 'sign' | 'now'>,
): readonly Route<Caller>[] {
  const { database, sign, now } = deps
  return [
    route(deriveKey, async ({ caller, raw, params: { keyId } }) => {
      const row = await findKey(database, caller, keyId)
      checkUsable(caller, row)
      const { evidence } = await inTransaction(database, async (transaction) => {
        const action = await useAction(transaction, caller, raw, now())
        checkDerivable(action.payload, row)
        return action
      })
      const { organization, id: key } = row
      const made = await sign({ organization, key, evidence: evidence(encodeFacts(noFacts)) })
      return answerOf(made.signatures)
    }),
  ]
}

/** What the rules would refuse is better refused before a request is burned for it. */
function checkDerivable(payload: string, { scheme, curve, public_key: publicKey }: KeyRow): void {
  const read = readIntent('derivation', payload)
  if (!read.ok) throw new Failure('request.unsupported', { reason: read.reason })
  const { intent } = read
  const network = pseudoNetworkOf({ scheme, curve })
  const planned = plan({ network, publicKey, scheme, curve, intent, facts: noFacts })
  if (!planned.ok) throw new Failure('request.unsupported', { reason: planned.reason })
}

function answerOf([made]: readonly Signature[]): { output: string; proof: string } {
  if (made?.scheme !== 'DH') throw new TypeError('a derivation was asked for')
  const { point } = decodeDerived(made.derived)
  return { output: `0x${toHex(outputOf(point))}`, proof: toHex(made.derived) }
}
