import { deriveKey } from '@quorate/api/keys'
import { requestHash } from '@quorate/authority/request'
import { keyStream } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { noFacts, encodeFacts } from '@quorate/effects/facts'
import { decodeDerived } from '@quorate/effects/instruction'
import { readIntent } from '@quorate/effects/intent'
import { pseudoNetworkOf } from '@quorate/effects/networks'
import { plan } from '@quorate/effects/plan'
import { outputOf } from '@quorate/threshold/public/derive'
import { isHeldFor } from '../approvals/find.ts'
import { tellRefused, tellTriggered, type TellDeps, type Told } from '../approvals/triggered.ts'
import type { Caller } from '../auth/caller.ts'
import { carryOut, type CarryOutDeps } from '../auth/carry-out.ts'
import { Held, routing, type Route } from '../http/route.ts'
import { hasPolicies } from '../policies/evaluate.ts'
import type { ExecuteDeps } from '../signatures/execute.ts'
import type { Signature } from '../signatures/signature.ts'
import { findKey, type KeyRow } from './find.ts'
import { approvedDerivation, derivationAsked, holdDerivation } from './held-derivation.ts'
import type { AskedToDerive } from './held-derivation.ts'
import { checkUsable } from './reach.ts'

const { route } = routing<Caller>()

type DeriveDeps = CarryOutDeps & Pick<ExecuteDeps, 'sign' | 'log'> & TellDeps

/**
 * Nothing of it is kept here but the burned request: a server that dies on the way is asked again,
 * and the same domain and seed give the same.
 */
export function derivationRoutes(deps: DeriveDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(deriveKey, async ({ caller, raw, params: { keyId } }) => {
      const row = await findKey(database, caller, keyId)
      checkUsable(caller, row)
      const { id: key } = row
      return carryOut(deps, caller, raw, {
        check: async ({ payload }) => checkDerivable(payload, row),
        work: ({ evidence }) =>
          deriveOrHold(deps, { caller, key, evidence: evidence(encodeFacts(noFacts)) }),
      })
    }),
  ]
}

/** What policies hold has its approval told of with them; of what they block, or note, no row is kept. */
async function deriveOrHold(deps: DeriveDeps, asked: AskedToDerive) {
  const { organization } = asked.caller
  try {
    const made = await derive(deps, asked)
    if (await hasPolicies(deps.log, organization)) await tellTriggered(deps, toldOf(asked))
    return made
  } catch (error) {
    if (isFailure(error, 'policy.blocked')) await tellRefused(deps, toldOf(asked))
    const request = requestHash(asked.evidence.preimage)
    if (!(await isHeldFor(deps.database, { organization, request }, error))) throw error
    const approved = await deriveApproved(deps, asked)
    return approved ?? new Held(await holdDerivation(deps, asked))
  }
}

function toldOf(asked: AskedToDerive): Told {
  const { caller, key, evidence } = asked
  const activity = { kind: 'Wallets:Sign', derivationRequest: derivationAsked(asked) }
  return { organization: caller.organization, stream: keyStream(key), evidence, activity }
}

/**
 * What is held is approved as it was asked first, and given to whoever asks for the same again.
 * @returns nothing where nobody has approved it, or not what policies want by now
 */
async function deriveApproved(deps: DeriveDeps, asked: AskedToDerive) {
  const evidence = await approvedDerivation(deps, asked)
  if (evidence === undefined) return undefined
  try {
    return await derive(deps, { ...asked, evidence })
  } catch (error) {
    if (isFailure(error, 'request.refused')) return undefined
    throw error
  }
}

async function derive({ sign }: DeriveDeps, { caller, key, evidence }: AskedToDerive) {
  const made = await sign({ organization: caller.organization, key, evidence })
  return answerOf(made.signatures)
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
