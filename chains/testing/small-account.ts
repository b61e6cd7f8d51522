import { toHex } from '@quorate/core/bytes'
import {
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  hexToBytes,
  type Hex,
} from 'viem'
import {
  accountAbi,
  accountAddress,
  type AccountOperation,
  type AccountTerms,
  executeHash,
} from '../evm/account/account.ts'
import { runtimeCode } from '../evm/account/artifact.ts'
import { signerOf } from './small-signer.ts'
import type { Account, Around, Call, Draft, Log, Outcome } from './small-state.ts'

/**
 * A stand-in for the contract that accounts run so that a sponsor pays their fees: there from the first
 * block on, at its own address. `chains/evm/account/account.sol` is the real one; of what that answers
 * to tokens and to those who check signatures, this one answers nothing.
 */
export const smallAccount = { address: accountAddress.toLowerCase(), code: runtimeCode } as const

/** As measured where the real one runs, calldata and all: signature, nonce, event; and where it refuses. */
const [gasOfRelay, gasOfRefusal] = [38_500n, 12_000n]
/** Each operation: its calldata and its call; what that takes if it pays (Yellow Paper, G_callvalue, G_newaccount). */
const [gasOfOperation, gasOfValue, gasOfNewAccount] = [4_500n, 6_700n, 25_000n]
/** For an account to take ether by the code that it runs, or to answer. */
const gasOfRunning = 60n

type Run = {
  readonly draft: Draft
  readonly around: Around
  /** Carries out what an account calls. */
  readonly perform: (call: Call) => Outcome
}

const refusal: Outcome = { ok: false, gas: gasOfRefusal }

/** Called at the contract's own address. What it has changed counts only if it does not fail. */
export function runSingleton(call: Call, run: Run): Outcome {
  if (call.data === '0x') return { ok: true, output: '0x', gas: 0n, logs: [] }
  const asked = callIn(call.data)
  if (asked?.functionName === 'isUsed') return answer(false)
  if (asked?.functionName !== 'relay' || call.value > 0n) return refusal
  const [account, bytes, nonce, deadline, r, vs] = asked.args
  const operations = operationsIn(hexToBytes(bytes))
  if (operations === undefined) return refusal
  const terms = { account, operations, nonce: hexToBytes(nonce), deadline }
  return mayExecute(terms, { r, vs, sponsor: call.from }, run) ? execute(terms, run) : refusal
}

/** Called at an account that runs it: of its functions, the one that the server asks. */
export function runDelegated({ to, value, data }: Call, { draft }: Pick<Run, 'draft'>): Outcome {
  if (data === '0x') return { ok: true, output: '0x', gas: gasOfRunning, logs: [] }
  const asked = callIn(data)
  if (asked?.functionName !== 'isUsed' || value > 0n) return refusal
  return answer(draft.account(to).used.has(asked.args[0].toLowerCase()))
}

function answer(is: boolean): Outcome {
  const output = encodeAbiParameters([{ type: 'bool' }], [is])
  return { ok: true, output, gas: gasOfRunning, logs: [] }
}

type Signed = { readonly r: Hex; readonly vs: Hex; readonly sponsor: string }

function mayExecute(
  terms: AccountTerms,
  { r, vs, sponsor }: Signed,
  { draft, around }: Run,
): boolean {
  const { account, nonce, deadline } = terms
  const { delegate, used } = draft.account(account.toLowerCase())
  if (delegate !== smallAccount.address || BigInt(around.timestamp) > deadline) return false
  const digest = executeHash(terms, { chainId: BigInt(around.chainId), sponsor })
  // EIP-2098: the highest bit of s says which of two points.
  const [word, bit] = [BigInt(vs), 1n << 255n]
  const s: Hex = `0x${(word & (bit - 1n)).toString(16)}`
  const signer = signerOf(digest, { r, s, recid: word >= bit ? 1 : 0 })
  return signer === account.toLowerCase() && !used.has(`0x${toHex(nonce)}`)
}

function execute({ account, operations, nonce }: AccountTerms, { draft, perform }: Run): Outcome {
  const [from, name] = [account.toLowerCase(), `0x${toHex(nonce)}` as const]
  draft.change(from, { used: new Set([...draft.account(from).used, name]) })
  const args = { nonce: name }
  const topics = encodeEventTopics({ abi: accountAbi, eventName: 'Executed', args }).map(String)
  const logs: Log[] = [{ address: from, topics, data: '0x' }]
  let gas = gasOfRelay
  for (const { to: named, value, data } of operations) {
    const to = named.toLowerCase()
    gas += gasOfOperation + (value > 0n ? gasOfPaying(draft.account(to)) : 0n)
    const outcome = perform({ from, to, value, data: `0x${toHex(data)}` })
    gas += outcome.gas
    if (!outcome.ok) return { ok: false, gas }
    logs.push(...outcome.logs)
  }
  return { ok: true, output: '0x', gas, logs }
}

function gasOfPaying({ nonce, balance }: Account): bigint {
  return nonce === 0 && balance === 0n ? gasOfValue + gasOfNewAccount : gasOfValue
}

/** Each is `to ‖ value ‖ length of data ‖ data`. @returns nothing for what is cut short */
function operationsIn(bytes: Uint8Array): readonly AccountOperation[] | undefined {
  const operations: AccountOperation[] = []
  const wordAt = (at: number) => BigInt(`0x${toHex(bytes.subarray(at, at + 32))}`)
  for (let at = 0; at < bytes.length;) {
    const start = at + 84
    if (start > bytes.length) return undefined
    const size = wordAt(at + 52)
    if (size > BigInt(bytes.length - start)) return undefined
    const end = start + Number(size)
    const to = `0x${toHex(bytes.subarray(at, at + 20))}`
    operations.push({ to, value: wordAt(at + 20), data: bytes.subarray(start, end) })
    at = end
  }
  return operations
}

function callIn(data: string) {
  try {
    return decodeFunctionData({ abi: accountAbi, data: data as Hex })
  } catch {
    // No function of it, or no arguments of that function: a contract says no more than that it fails.
    return undefined
  }
}
