import { type Failure, isFailure } from '@quorate/core/failure'
import type { Network, Rpc } from '../adapter.ts'
import { readFields, readQuantity } from './answer.ts'
import { isOfContract } from './refusals.ts'

/** One node of several, and what it has done so far. */
export type Member = {
  readonly rpc: Rpc
  /** Counts from 1 in the operator's order: addresses may carry keys and are never told. */
  readonly place: number
  strikes: number
  asideUntil: number
  isOfChain: boolean
  /** Since when it has been much slower than the others, each time that it was asked with them. */
  slowSince: number | undefined
  /** The newest block at the last look, and at the best. */
  head: bigint
  highest: bigint
}
export type Watch = {
  readonly network: Pick<Network, 'id' | 'chainId' | 'confirmationsFinal'>
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number
  readonly onDistrust?: (event: { readonly node: number; readonly reason: string }) => void
}
export type Answer =
  /** `said` is what of it has to be the same everywhere. */
  | { readonly kind: 'result'; readonly value: unknown; readonly said: string }
  | { readonly kind: 'refused'; readonly error: Failure<'chain.refused'>; readonly said: Refusal }
/** A contract that refuses has answered: that is not the same as a node that does not want to be asked. */
type Refusal = 'by the contract' | 'by the node'
export type Form = (value: unknown) => unknown

/** A node that fails is left alone for a second, then two, four, and never for longer than this. */
const [asideMsMin, asideMsMax] = [1_000, 30_000]
/** Whoever takes so long, and so many times as long as the slowest of the others, has all money of the network wait. */
const [slowMs, slowTimes] = [1_000, 4]
/** A node that was busy for a moment is not left alone for it. One that is, is tried again after this. */
const [slowForMs, slowAsideMs] = [10_000, 60_000]

export function newMember(rpc: Rpc, place: number): Member {
  const untried = { strikes: 0, asideUntil: -Infinity, isOfChain: false, head: 0n, highest: 0n }
  return { rpc, place, slowSince: undefined, ...untried }
}

export function isTrusted({ asideUntil }: Member, { now }: Watch): boolean {
  return asideUntil <= now()
}

export function putAside(member: Member, watch: Watch, reason: string): void {
  const waitMs = Math.min(asideMsMin * 2 ** member.strikes, asideMsMax)
  member.strikes++
  leaveAlone(member, watch, { reason, waitMs })
}

/**
 * It was found in step with the others. An answer by itself is no reason: one that lags answers as well, and would be
 * tried again every second.
 */
export function forgive(member: Member): void {
  member.strikes = 0
}

function leaveAlone(
  member: Member,
  { now, onDistrust }: Watch,
  { reason, waitMs }: { readonly reason: string; readonly waitMs: number },
): void {
  member.asideUntil = now() + waitMs
  // Whoever comes back may be another node at the same address.
  member.isOfChain = false
  onDistrust?.({ node: member.place, reason })
}

type Timed = { readonly member: Member; readonly tookMs: number }

/**
 * Who takes much longer than all others, each time for a while, is left alone like one that does not answer. What it
 * has said counts all the same.
 * @param told of all that have answered the same question
 * @param least how many have to be left without it
 */
export function noteSlow(told: readonly Timed[], watch: Watch, least: number): void {
  const [slowest, next] = [...told].sort((a, b) => b.tookMs - a.tookMs)
  const isSlow = ({ tookMs }: Timed) =>
    tookMs >= slowMs && next !== undefined && tookMs >= slowTimes * next.tookMs
  for (const one of told) if (one !== slowest || !isSlow(one)) one.member.slowSince = undefined
  if (slowest === undefined || !isSlow(slowest) || told.length - 1 < least) return
  const { member } = slowest
  const now = watch.now()
  // Others may have been asked at the same time, and seen the same.
  if (!isTrusted(member, watch)) return
  member.slowSince ??= now - slowest.tookMs
  if (now - member.slowSince < slowForMs) return
  leaveAlone(member, watch, { reason: 'it is much slower than the others', waitMs: slowAsideMs })
}

/**
 * @param form reads what is asked for, and refuses what is no answer
 * @returns nothing from a node that gave none: it is put aside
 */
export async function ask(
  member: Member,
  watch: Watch,
  { method, params, form }: { method: string; params: readonly unknown[]; form: Form },
): Promise<Answer | undefined> {
  try {
    if (!member.isOfChain && !(await checkChain(member, watch))) return undefined
    const value = await member.rpc(method, params)
    const said = sayingOf(member, watch, { value, form })
    return said === undefined ? undefined : { kind: 'result', value, said }
  } catch (error) {
    // Nodes refuse in words of their own, so that there is nothing more to compare in them.
    if (isFailure(error, 'chain.refused'))
      return {
        kind: 'refused',
        error,
        said: isOfContract(error) ? 'by the contract' : 'by the node',
      }
    if (!isFailure(error, 'chain.unavailable')) throw error
    putAside(member, watch, 'it does not answer')
    return undefined
  }
}

/** @returns the time of its newest block, in seconds; nothing when it is out of step with itself */
export async function lookAt(member: Member, watch: Watch): Promise<bigint | undefined> {
  const headOf = (value: unknown) => {
    const { number, timestamp } = readFields(value)
    return { number: readQuantity(number), timestamp: readQuantity(timestamp) }
  }
  const asked = { method: 'eth_getBlockByNumber', params: ['latest', false], form: headOf }
  const answer = await ask(member, watch, asked)
  if (answer === undefined) return undefined
  const head = answer.kind === 'result' && answer.value !== null ? headOf(answer.value) : undefined
  if (head === undefined) putAside(member, watch, 'it has no newest block')
  // Blocks are replaced up to where they are settled, and no chain loses more of them.
  else if (head.number + BigInt(watch.network.confirmationsFinal) < member.highest)
    putAside(member, watch, 'it is behind itself')
  else {
    member.head = head.number
    if (head.number > member.highest) member.highest = head.number
    return head.timestamp
  }
  return undefined
}

async function checkChain(member: Member, watch: Watch): Promise<boolean> {
  const said = await member.rpc('eth_chainId', [])
  const expected = `0x${watch.network.chainId.toString(16)}`
  member.isOfChain = typeof said === 'string' && said.toLowerCase() === expected
  if (!member.isOfChain) putAside(member, watch, 'it is of another chain')
  return member.isOfChain
}

function sayingOf(
  member: Member,
  watch: Watch,
  { value, form }: { readonly value: unknown; readonly form: Form },
): string | undefined {
  try {
    const read = value === null ? null : form(value)
    const plain = (_: string, part: unknown) => (typeof part === 'bigint' ? String(part) : part)
    return JSON.stringify(read, plain) ?? ''
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    putAside(member, watch, 'what it answers is no answer')
    return undefined
  }
}
