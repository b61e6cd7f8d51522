import type { JsonObject } from '@quorate/core/json'
import type { Opinions, Outflow, Spending } from '@quorate/core/outflow'
import type { Activity } from './activity.ts'
import { microsToText } from './decimal.ts'
import type { Rule } from './policy.ts'
import { appraise, isFresh, isOpaque, screeningAgeMaxMs } from './worth.ts'

export type Moment = {
  readonly facts: Opinions
  readonly spending: Spending
  /** Milliseconds since 1970, as the signers have agreed on it. */
  readonly time: number
}

export type Signing = Moment & Pick<Extract<Activity, { kind: 'Wallets:Sign' }>, SigningMember>
type SigningMember = 'outflow' | 'isCounted' | 'excess'

export type Finding = {
  readonly triggered: boolean
  /** Which rule, which value, which limit. */
  readonly reason: string
  readonly context?: JsonObject
}

type Of<K extends Rule['kind']> = Extract<Rule, { kind: K }>

/** Is the rule triggered? Whatever it needs and nobody knows triggers it. */
export function judgeRule(rule: Rule, signing: Signing | undefined): Finding {
  if (rule.kind === 'AlwaysTrigger') return triggered('The policy applies to every such request.')
  // No policy that reads has another rule for what signs nothing.
  if (signing === undefined) return triggered(`${rule.kind} needs a signature to look at.`)
  switch (rule.kind) {
    case 'RawSigning':
      return rawSigning(signing)
    case 'TransactionRecipientWhitelist':
      return recipientWhitelist(rule, signing)
    case 'TransactionRecipientScreening':
      return recipientScreening(signing)
    case 'TransactionAmountLimit':
      return amountLimit(rule, signing)
    case 'TransactionAmountVelocity':
      return amountVelocity(rule, signing)
    case 'TransactionCountVelocity':
      return countVelocity(rule, signing)
    case 'TransactionAssetLimit':
      return assetLimit(rule, signing)
    case 'TransactionAssetVelocity':
      return assetVelocity(rule, signing)
  }
}

const minuteMs = 60_000

function rawSigning({ outflow: { isRaw } }: Signing): Finding {
  return isRaw ? triggered('The bytes are raw.') : passed('The bytes are not raw.')
}

function recipientWhitelist(
  { addresses }: Of<'TransactionRecipientWhitelist'>,
  { outflow }: Signing,
): Finding {
  const recipients = recipientsOf(outflow)
  if (recipients === undefined) return triggered(noRecipient)
  const recipient = recipients.find((to) => !addresses.includes(to))
  if (recipient === undefined) return passed('Every recipient is on the whitelist.')
  return triggered(`Recipient (${recipient}) is not on the whitelist.`, { recipient })
}

function recipientScreening({ outflow, facts, time }: Signing): Finding {
  const recipients = recipientsOf(outflow)
  if (recipients === undefined) return triggered(noRecipient)
  const about = (to: string) => facts.screenings.filter(({ address }) => address === to)
  // Old news of a listing is still news; only the absence of one has to be recent.
  const listed = recipients.find((to) => about(to).some(({ isListed }) => isListed))
  if (listed !== undefined)
    return triggered(`Recipient (${listed}) is on a deny list.`, { recipient: listed })
  const isRecent = ({ at }: { at: number }) => isFresh(at, { time, ageMaxMs: screeningAgeMaxMs })
  const recipient = recipients.find((to) => !about(to).some(isRecent))
  if (recipient === undefined) return passed('No recipient is on a deny list.')
  return triggered(`Recipient (${recipient}) has not been screened lately.`, { recipient })
}

function amountLimit(
  { currency, limit }: Of<'TransactionAmountLimit'>,
  { outflow, facts, time }: Signing,
): Finding {
  const worth = appraise(outflow, facts, time)
  if (!worth.ok) return triggered(`Transfer amount is unknown: ${worth.reason}.`)
  return compared('Transfer amount', { value: worth.micros, limit, write: inFiat(currency) })
}

function amountVelocity(
  { currency, limit, timeframe }: Of<'TransactionAmountVelocity'>,
  signing: Signing,
): Finding {
  const { outflow, facts, time, spending } = signing
  const worth = appraise(outflow, facts, time)
  const what = 'Cumulative transfer amount'
  if (!worth.ok) return triggered(`${what} is unknown: ${worth.reason}.`)
  const prior = spending.uses(time - timeframe * minuteMs)
  if (prior.unpriced > 0 || prior.unknown > 0)
    return triggered(`${what} is unknown: nobody could price a use of the last ${timeframe} min.`)
  const added = appraise(uncounted(signing), facts, time)
  if (!added.ok) return triggered(`${what} is unknown: ${added.reason}.`)
  const value = prior.micros + added.micros
  return compared(what, { value, limit, write: inFiat(currency) })
}

function countVelocity(
  { limit, timeframe }: Of<'TransactionCountVelocity'>,
  { time, spending, isCounted }: Signing,
): Finding {
  const { count } = spending.uses(time - timeframe * minuteMs)
  const value = BigInt(count + (isCounted ? 0 : 1))
  return compared('Number of transactions', { value, limit: BigInt(limit), write: String })
}

function assetLimit({ asset, limit }: Of<'TransactionAssetLimit'>, { outflow }: Signing): Finding {
  const what = `Amount of ${asset}`
  if (isOpaque(outflow)) return triggered(`${what} is unknown: nobody can tell what leaves.`)
  if (isUncertain(asset, outflow)) return triggered(`${what} is unknown: ${ofPieces}`)
  return compared(what, { value: amountOf(asset, outflow), limit, write: String })
}

function assetVelocity(
  { asset, limit, timeframe }: Of<'TransactionAssetVelocity'>,
  signing: Signing,
): Finding {
  const { outflow, time, spending } = signing
  const what = `Cumulative amount of ${asset}`
  const since = time - timeframe * minuteMs
  if (isOpaque(outflow)) return triggered(`${what} is unknown: nobody can tell what leaves.`)
  if (spending.uses(since).unknown > 0)
    return triggered(`${what} is unknown: so is a use of the last ${timeframe} minutes.`)
  const isOtherSpent = othersOf(asset).some((other) => spending.hasMoved(other, since))
  if (isOtherSpent || isUncertain(asset, outflow))
    return triggered(`${what} is unknown: ${ofPieces}`)
  const value = spending.asset(asset, since) + amountOf(asset, uncounted(signing))
  return compared(what, { value, limit, write: String })
}

/** What no step has counted yet. */
function uncounted({ outflow, isCounted, excess: fee }: Signing): Outflow {
  return isCounted ? { isKnown: true, isRaw: false, movements: [], fee } : outflow
}

const noRecipient = 'There is no recipient that could be known.'

/**
 * What moves nothing and costs its fee has no recipient.
 * @returns nothing where nobody can tell: of what is opaque, and of what is no transaction at all
 */
function recipientsOf(outflow: Outflow): readonly string[] | undefined {
  const isNone = outflow.movements.length === 0 && outflow.fee === undefined
  if (isOpaque(outflow) || isNone) return undefined
  return outflow.movements.map(({ to }) => to)
}

/**
 * To approve a piece of a collection (ERC-721) takes the bytes that approve units of a coin; there are coins of which a piece
 * is moved as one of a collection (ERC-404), and collections whose pieces move by the calls of ERC-1155 as well: what a contract
 * is asked for under one standard may be of another.
 */
function isUncertain(asset: string, { movements }: Outflow): boolean {
  const others = othersOf(asset)
  return movements.some((movement) => others.includes(movement.asset))
}

const ofPieces = 'the call does not say whether a piece of its contract leaves, or units.'

const standards = ['Erc20', 'Erc721', 'Erc1155'] as const

/** By what names a contract's own bytes would have it, were it a thing of another standard. */
function othersOf(asset: string): readonly string[] {
  const own = standards.find((standard) => asset.includes(`/${standard}/`))
  return own === undefined
    ? []
    : standards.flatMap((standard) =>
        standard === own ? [] : [asset.replace(`/${own}/`, `/${standard}/`)],
      )
}

function amountOf(asset: string, { movements, fee }: Outflow): bigint {
  const parts = fee === undefined ? movements : [...movements, fee]
  return parts.reduce((sum, part) => (part.asset === asset ? sum + part.amount : sum), 0n)
}

type Comparison = {
  readonly value: bigint
  readonly limit: bigint
  readonly write: (amount: bigint) => string
}

function compared(what: string, { value, limit, write }: Comparison): Finding {
  const isAbove = value > limit
  const relation = isAbove ? 'above' : 'within'
  return {
    triggered: isAbove,
    reason: `${what} (${write(value)}) is ${relation} limit (${write(limit)}).`,
    context: { value: write(value), limit: write(limit) },
  }
}

function inFiat(currency: string): (micros: bigint) => string {
  return (micros) => `${currency} ${microsToText(micros)}`
}

function triggered(reason: string, context?: JsonObject): Finding {
  return { triggered: true, reason, ...(context === undefined ? {} : { context }) }
}

function passed(reason: string): Finding {
  return { triggered: false, reason }
}
