import { bytesToBig, equalBytes, toHex } from '@quorate/core/bytes'
import { concat } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { SignedTransaction } from '@quorate/chains/adapter'
import type { Effect } from '@quorate/effects/effect'
import { attachSignature, decodeUnsigned } from '@quorate/effects/evm/transaction'
import { verifySignature } from '@quorate/threshold/public/verify'
import type { Signed } from '../coordinator/coordinator.ts'
import { approvalFor } from '../approvals/find.ts'
import { hasPolicies } from '../policies/evaluate.ts'
import { asAgreed, isKnownAgreed, signedAs, unlessAgreed, unlessInTime } from './agreed.ts'
import { block, held, hold } from './hold.ts'
import type { Change } from './move.ts'
import { holderOf } from '../chain/slots.ts'
import { isEnd, refuse, unlessMissing, type Outcome, type StepDeps } from './outcome.ts'
import { leaveSlot } from '../sponsorships/heal.ts'
import { effectOf, evidenceOf } from './reading.ts'
import type { Outgoing } from './tables.ts'

/**
 * Has the facts signed. The signers give one request one signature for ever, so that asking again,
 * by whichever server, leads to the same bytes.
 */
export async function sign(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  return signing(deps, row, async () => {
    const over = await unlessInTime(deps, row)
    if (over !== undefined) return over
    const { organization, key, public_key: publicKey } = row
    const evidence = evidenceOf(row)
    const signed = await deps.coordinator.sign({
      organization,
      key,
      evidence,
      isWanted: deps.isHeld,
    })
    const agreed = asAgreed(row, signed)
    const effect = effectOf(agreed, deps.chain.traits)
    const made = assembled(deps, { effect, publicKey }, signed)
    const move = signedAs(row, agreed, { ...made, cost: effect.value + effect.feeMax })
    const values = { ...move.values, ...(await approvalUnseen(deps, row)) }
    return { kind: 'move', ...move, values }
  })
}

/** Opened by a server that has ended since, and resolved before any had written down that it waits. */
async function approvalUnseen(
  { coordinator, database }: StepDeps,
  { organization, request, approval_id }: Outgoing,
): Promise<Pick<Change, 'approval_id' | 'policy_resolved_at'>> {
  if (approval_id !== null || !(await hasPolicies(coordinator, organization))) return {}
  const approval = await approvalFor(database, organization, request)
  if (approval === undefined) return {}
  return { approval_id: approval.approval_id, policy_resolved_at: approval.resolved_at }
}

/** Whatever keeps the signers of a user's own key from signing. */
export function signing(
  deps: StepDeps,
  row: Outgoing,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  return unlessMissing(async () => {
    try {
      return await work()
    } catch (error) {
      const isHeld = isFailure(error, 'policy.held')
      const isBlocked = isFailure(error, 'policy.blocked')
      if (!isHeld && !isBlocked && !isFailure(error, 'request.refused')) throw error
      const { reason } = error.context
      const kept = { kind: 'move', event: 'refuse', values: { reason } } as const
      const evidence = evidenceOf(row)
      // Signers open no approval for what they have agreed on before.
      if (isHeld && !(await isKnownAgreed(deps, row))) {
        const outcome = await hold(deps, row, evidence)
        // Blocked by a policy that was made meanwhile.
        return isEnd(outcome)
          ? unlessAgreed(deps, row, { reason, kept, end: () => outcome })
          : outcome
      }
      const end = () => (isBlocked ? block(deps, reason, evidence) : refused(deps, row, reason))
      return unlessAgreed(deps, row, { reason, kept, end })
    }
  })
}

/**
 * The slot goes to the next one; or it was another's, and this one gets a new one. If it has come to be its
 * own since that was looked for, nothing was refused.
 */
async function refused(deps: StepDeps, row: Outgoing, reason: string): Promise<Outcome> {
  if (row.approval_id === null) {
    const approval = await approvalFor(deps.database, row.organization, row.request)
    if (approval !== undefined) return held(approval)
  }
  const { slot, names_slot: isNamed } = row
  if (slot === null || isNamed) return refuse(reason)
  const holder = await holderOf(deps.database, row, slot)
  if (holder === 'itself') return { kind: 'wait', why: reason, ms: 0 }
  return holder === 'another' ? leaveSlot(deps, row, slot) : refuse(reason)
}

/**
 * Two libraries that know nothing of each other make the same bytes of it, and the signature holds;
 * else nothing is written down, let alone sent.
 */
export function assembled(
  { chain }: Pick<StepDeps, 'chain'>,
  { effect, publicKey }: { readonly effect: Effect; readonly publicKey: Uint8Array },
  signed: Signed,
): SignedTransaction {
  const { unsigned, digest } = unsignedOf(effect)
  const [signature] = signed.signatures
  const [agreed] = signed.digests
  if (signature?.scheme !== 'ECDSA') throw new TypeError('EVM transactions bear ECDSA signatures')
  const { r, s, recid } = signature
  if (agreed === undefined || !equalBytes(agreed, digest))
    throw new TypeError('the signers have agreed on other bytes than these')
  if (!verifySignature('ECDSA', 'secp256k1', publicKey, digest, concat(r, s)))
    throw new TypeError('the signature does not hold')
  const parts = {
    r: bytesToBig(r),
    s: bytesToBig(s),
    yParity: (recid & 1) === 1 ? (1 as const) : (0 as const),
  }
  const made = chain.adapter.assemble(unsigned, parts)
  const second = attachSignature(decodeUnsigned(unsigned), parts)
  if (!equalBytes(made.bytes, second.bytes) || made.hash !== `0x${toHex(second.hash)}`)
    throw new TypeError('two ways to assemble a transaction differ')
  return made
}

function unsignedOf({ unsigned, signing: [first] }: Effect) {
  if (unsigned === undefined || first === undefined || !('digest' in first))
    throw new TypeError('a transaction has its bytes and one digest')
  return { unsigned, digest: first.digest }
}
