import type { Hardship, Wish } from '@quorate/chains/testing/audit'
import { ether } from '@quorate/chains/testing/audit'
import type { SmallChain } from '@quorate/chains/testing/small-chain'
import { requestHash } from '@quorate/authority/request'
import { decodeBody } from '@quorate/authority/body'
import { type Evidence, isSigning, skewMsMax } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import type { Kept, SmallSigners } from './signers.ts'
import type { SimulatedWallet, Sought } from './wishes.ts'

/** A node may say what was so many blocks ago; and one more, in which it was asked. */
const staleBlocks = 3
/** More than a payment takes, with the margin that estimates have, in ether and in the coin. */
const [gasInEther, gasInCoin] = [30_000n, 90_000n]
/** What is offered for gas is twice the base fee, and a tip. */
const [headroom, tip] = [2n, 2n * 10n ** 9n]

type Funds = {
  readonly at: number
  readonly balance: bigint
  readonly units: bigint
  readonly baseFee: bigint
}
type Turn = { readonly at: number; readonly isOff: boolean }
type Decision = { readonly request: string; readonly isApproval: boolean; readonly at: number }
type Known = {
  readonly chain: SmallChain
  readonly signers: SmallSigners
  /** By the API's name: whose wallet pays fees by it, and how much a day. */
  readonly sponsorNamed: (
    name: string,
  ) => { readonly wallet: SimulatedWallet; readonly perDay: bigint | undefined } | undefined
  readonly idNamed: (name: string) => Uint8Array | undefined
  /** Is there nobody to hold the node against that a server asks? */
  readonly isNodeAlone: boolean
  /** Has the account given its nonce away, to be run by the contract? */
  readonly hasDelegated: (address: string) => boolean
}

/**
 * What was done to people by others than the server: whoever goes unpaid without any of it has failed for
 * nothing. It is written down where it is done, and never by what the server says of it.
 */
export class Hardships {
  private readonly known: Known
  private readonly funds = new Map<string, Funds[]>()
  /** By the full id of what was to be signed. */
  private readonly refusals = new Map<string, number>()
  /** By the address from which an owner has sent something by himself. */
  private readonly outside = new Map<string, number>()
  private readonly lies: number[] = []
  /** By the name of the sponsor. */
  private readonly turns = new Map<string, Turn[]>()
  /** By the hash of what an approver has signed. */
  private readonly decisions = new Map<string, Decision>()

  constructor(known: Known) {
    this.known = known
  }

  /** After each block, and whenever somebody is given something. */
  sawFunds(addresses: readonly string[], now: { readonly at: number; readonly baseFee: bigint }) {
    for (const address of addresses) {
      const { balance, units } = this.known.chain.account(address)
      const seen = this.funds.get(address) ?? []
      seen.push({ ...now, balance, units })
      this.funds.set(address, seen)
    }
  }

  /** Signers have agreed on it, and do not sign. */
  sawRefusal(id: string, at: number): void {
    if (!this.refusals.has(id)) this.refusals.set(id, at)
  }

  sawOutside(address: string, at: number): void {
    if (!this.outside.has(address)) this.outside.set(address, at)
  }

  /** For a while, from now on. */
  sawLie(at: number): void {
    this.lies.push(at)
  }

  sawTurn(sponsor: string, turn: Turn): void {
    this.turns.set(sponsor, [...(this.turns.get(sponsor) ?? []), turn])
  }

  sawDecision({ preimage }: Evidence, decision: Decision): void {
    this.decisions.set(toHex(requestHash(preimage)), decision)
  }

  /**
   * May a nonce of this wallet have been left that only its user can fill? Something has kept it from being used; or it
   * is signed away to what waits behind such a nonce of its sponsor's.
   */
  explainGap(wallet: SimulatedWallet, soughts: readonly Sought[]): boolean {
    const sponsors = soughts.flatMap(({ wallet: { address }, feeSponsorId }) => {
      const sponsor = feeSponsorId && this.known.sponsorNamed(feeSponsorId)
      return address === wallet.address && sponsor ? [sponsor.wallet] : []
    })
    return [...new Set([wallet, ...sponsors])].some((one) => this.explainOwn(one, soughts))
  }

  private explainOwn({ address }: SimulatedWallet, soughts: readonly Sought[]): boolean {
    if (this.outside.has(address)) return true
    return soughts.some((sought) => {
      // Whoever names a nonce may leave one out.
      if (sought.wallet.address === address && sought.places.length > 0) return true
      const sponsor = sought.feeSponsorId && this.known.sponsorNamed(sought.feeSponsorId)
      const payer = sponsor ? sponsor.wallet : sought.wallet
      return payer.address === address && this.refusalsOf(sought).length > 0
    })
  }

  of(sought: Sought): readonly Hardship[] {
    return [
      ...timeOf(sought),
      ...this.policiesOf(sought),
      ...this.fundsOf(sought),
      ...this.refusalsOf(sought),
      ...this.sponsorOf(sought),
      ...this.liesTo(sought),
      ...(sought.abortedAt === undefined
        ? []
        : [{ what: 'its user gives it up', since: sought.abortedAt }]),
    ]
  }

  /**
   * Since when what signers have agreed on for it was allowed: each by an approval of its own, unless they agreed on it
   * before there was a policy; a server's clock, by which they do, may be off. Nothing where something was not.
   */
  allowed(sought: Sought): Pick<Wish, 'allowedSince' | 'allowedBy'> {
    if (sought.wallet.open.includes(sought.recipient)) return { allowedSince: 0 }
    const allowedBy = new Map<string, number>()
    const moments: number[] = []
    for (const agreed of this.agreedFor(sought)) {
      const since = this.allowedAt(sought.wallet, agreed)
      if (since === undefined) return { allowedSince: undefined }
      moments.push(since)
      for (const digest of digestsOf(agreed)) allowedBy.set(digest, since)
    }
    return { allowedSince: moments.length === 0 ? undefined : Math.max(...moments), allowedBy }
  }

  private agreedFor({ wallet, requests, speedUps }: Sought): readonly Kept[] {
    const asked = new Set([...requests, ...speedUps])
    return this.known.signers
      .steps({ stream: keyStream(wallet.key) }, 0)
      .filter((one) => one.kind === 'use' && asked.has(toHex(one.request)))
  }

  private allowedAt({ governedSince }: SimulatedWallet, { certified, request }: Kept) {
    if (certified.time - skewMsMax < governedSince) return 0
    const name = toHex(request)
    const approvals = [...this.decisions.values()].filter(
      (decision) => decision.isApproval && decision.request === name,
    )
    return approvals.length === 0 ? undefined : Math.min(...approvals.map(({ at }) => at))
  }

  /** Blocked, denied, or not approved by all that were asked: of that the signers' log has the last word. */
  private policiesOf({ wallet, requests, recipient }: Sought): readonly Hardship[] {
    const { governedSince, governedBy, key, open } = wallet
    if (open.includes(recipient)) return []
    if (governedBy === 'blocks') return [{ what: 'a policy blocks it', since: governedSince }]
    if (governedBy === undefined) return []
    const steps = this.known.signers.steps({ stream: keyStream(key) }, 0)
    const asked = new Set(requests)
    const opened = steps.filter((one) => one.kind === 'approval' && asked.has(toHex(one.request)))
    const approved = steps.filter(({ request }) => {
      const decision = this.decisions.get(toHex(request))
      return decision?.isApproval === true && asked.has(decision.request)
    })
    const [first] = opened
    return first !== undefined && approved.length < opened.length
      ? [{ what: 'nobody approves it', since: first.certified.time - skewMsMax }]
      : []
  }

  private fundsOf({ wallet, asset, amount, beside, since, feeSponsorId }: Sought) {
    const isEther = asset === ether
    const paid = beside === undefined ? amount : 2n * amount
    const isShort = ({ balance, units, baseFee }: Funds): boolean => {
      const gas = isEther ? gasInEther : gasInCoin
      const fee = feeSponsorId === undefined ? gas * (headroom * baseFee + tip) : 0n
      return balance < (isEther ? paid : 0n) + fee || (!isEther && units < paid)
    }
    const short = this.fundsSince(wallet, since).find(isShort)
    return short === undefined ? [] : [{ what: 'its wallet is short of funds', since: short.at }]
  }

  private fundsSince({ address }: SimulatedWallet, since: number): readonly Funds[] {
    const seen = this.funds.get(address) ?? []
    const first = seen.findIndex(({ at }) => at > since)
    return seen.slice(Math.max((first < 0 ? seen.length : first) - staleBlocks, 0))
  }

  private refusalsOf({ asked, spedUp, cancelled }: Sought): readonly Hardship[] {
    return [...asked, ...spedUp, ...cancelled].flatMap((name) => {
      const id = this.known.idNamed(name)
      const since = id && this.refusals.get(toHex(id))
      return since === undefined ? [] : [{ what: 'the signers refuse it', since }]
    })
  }

  /**
   * What an account has signed away stands in no slot, so that one node alone can have it given out again. Its lie may have
   * begun before.
   */
  private liesTo({ wallet: { address }, since }: Sought): readonly Hardship[] {
    const { isNodeAlone, hasDelegated } = this.known
    const first = this.lies.find((_, i) => (this.lies[i + 1] ?? Infinity) >= since)
    if (!isNodeAlone || first === undefined || !hasDelegated(address)) return []
    return [{ what: 'the only node says that its nonce is free', since: first }]
  }

  private sponsorOf({ feeSponsorId, wallet, since }: Sought): readonly Hardship[] {
    const sponsor = feeSponsorId && this.known.sponsorNamed(feeSponsorId)
    if (feeSponsorId === undefined || !sponsor) return []
    const turns = this.turns.get(feeSponsorId) ?? []
    const off = turns.find(({ isOff }, i) => isOff && (turns[i + 1]?.at ?? Infinity) >= since)
    const own = this.outside.get(wallet.address)
    const [budget] = sponsor.perDay === undefined ? [] : [since]
    return [
      { what: 'its sponsor does not pay', since: off?.at },
      { what: 'its wallet sends something by itself', since: own },
      { what: 'its sponsor has a budget', since: budget },
    ].flatMap(({ what, since }) => (since === undefined ? [] : [{ what, since }]))
  }
}

/** Clocks that differ by less than that end it so much earlier. */
function timeOf({ until }: Sought): readonly Hardship[] {
  return until === undefined ? [] : [{ what: 'its time is over', since: until - skewMsMax }]
}

function digestsOf({ certified }: Kept): readonly string[] {
  const operations = decodeBody(certified.body).step.items.map(({ operation }) => operation)
  return operations.filter(isSigning).flatMap(({ digests }) => digests.map(toHex))
}
