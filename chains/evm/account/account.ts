import { bigToBytes, concat, equalBytes, fromHex } from '@quorate/core/bytes'
import { concatHex, encodeFunctionData, encodePacked, getCreate2Address } from 'viem'
import { hashTypedData, keccak256, parseAbi } from 'viem'
import type { Rpc } from '../../adapter.ts'
import { parseAddress } from '../address.ts'
import { readBytes } from '../answer.ts'
import { type EvmSignature, toHexText } from '../transaction.ts'
import { creationCode, runtimeCode } from './artifact.ts'

/** One call of an account's. */
export type AccountOperation = {
  readonly to: string
  readonly value: bigint
  readonly data: Uint8Array
}
/** What an account's key signs: these operations, once, until then, for one who pays. */
export type AccountTerms = {
  readonly account: string
  readonly operations: readonly AccountOperation[]
  readonly nonce: Uint8Array
  /** Seconds since 1970, by the chain's clock. */
  readonly deadline: bigint
}

export const accountAbi = parseAbi([
  'function relay(address account, bytes operations, bytes32 nonce, uint256 deadline, bytes32 r, bytes32 vs)',
  'function isUsed(bytes32 nonce) view returns (bool)',
  'event Executed(bytes32 indexed nonce)',
])

/**
 * Makes contracts by CREATE2 for whoever asks, on nearly every chain at this address, since it was itself
 * made by a transaction that nobody holds a key for (github.com/Arachnid/deterministic-deployment-proxy).
 */
const deployer = '0x4e59b44847b379578588920cA78FbF26c0B4956C'
const salt = new Uint8Array(32)

/** Of the one contract that accounts run, the same on every chain. */
export const accountAddress = getCreate2Address({
  ...{ from: deployer, salt: salt, bytecode: creationCode },
})

/** The transaction that makes it; anybody can send it, once on each chain. */
export function deployment(): { readonly to: string; readonly data: Uint8Array } {
  return { to: deployer, data: concat(salt, fromHex(creationCode.slice(2))) }
}

/** Is there what `deployment` is sent to? */
export async function hasDeployer(rpc: Rpc): Promise<boolean> {
  return readBytes(await rpc('eth_getCode', [deployer, 'latest'])).length > 0
}

/**
 * Where it is not: the transaction of type 0 that makes it on any chain which takes transactions that
 * name none. Its sender is nobody's, and needs this much before.
 */
export const deployerBirth = {
  sender: '0x3fAB184622Dc19b6109349B94811493BF2a45362',
  wei: 10n ** 16n,
  transaction: `0x${[
    'f8a58085174876e800830186a08080b853604580600e600039806000f350fe7f',
    'ff'.repeat(31),
    'e03601600081602082378035828234f58015156039578182fd5b808252505050',
    `6014600cf31ba0${'22'.repeat(32)}a0${'22'.repeat(32)}`,
  ].join('')}`,
} as const

/**
 * A call to an address without code succeeds and does nothing: nobody may be asked to sign one before
 * this is known.
 */
export async function isDeployed(rpc: Rpc): Promise<boolean> {
  const code = readBytes(await rpc('eth_getCode', [accountAddress, 'latest']))
  return equalBytes(code, fromHex(runtimeCode.slice(2)))
}

/** EIP-7702, "Delegation designation". */
const designation = fromHex('ef0100')

/** Whose code an account runs: this contract's, none, or something else's that would be replaced. */
export async function delegationOf(rpc: Rpc, address: string): Promise<'ours' | 'none' | 'other'> {
  const code = readBytes(await rpc('eth_getCode', [parseAddress(address), 'latest']))
  if (code.length === 0) return 'none'
  const own = concat(designation, fromHex(accountAddress.slice(2).toLowerCase()))
  return equalBytes(code, own) ? 'ours' : 'other'
}

/** Have these terms been carried out? */
export async function isUsed(rpc: Rpc, account: string, nonce: Uint8Array): Promise<boolean> {
  const data = encodeFunctionData({
    ...{ abi: accountAbi, functionName: 'isUsed', args: [toHexText(nonce)] },
  })
  const answer = readBytes(await rpc('eth_call', [{ to: parseAddress(account), data }, 'latest']))
  return equalBytes(answer, bigToBytes(1n, 32))
}

/** The call of the contract by which a sponsor has the terms carried out. @throws Failure `address.malformed` */
export function relayData(terms: AccountTerms, { r, s, yParity }: EvmSignature): Uint8Array {
  // EIP-2098
  const vs = bigToBytes((BigInt(yParity) << 255n) | s, 32)
  const data = encodeFunctionData({
    abi: accountAbi,
    functionName: 'relay',
    args: [
      parseAddress(terms.account),
      packed(terms.operations),
      toHexText(terms.nonce),
      terms.deadline,
      toHexText(bigToBytes(r, 32)),
      toHexText(vs),
    ],
  })
  return fromHex(data.slice(2))
}

/** What the account's key has to sign (EIP-712). @throws Failure `address.malformed` */
export function executeHash(
  terms: AccountTerms,
  { chainId, sponsor }: { readonly chainId: bigint; readonly sponsor: string },
): Uint8Array {
  const hash = hashTypedData({
    domain: { chainId, verifyingContract: parseAddress(terms.account) },
    types: {
      Execute: [
        { name: 'operations', type: 'bytes32' },
        { name: 'nonce', type: 'bytes32' },
        { name: 'deadline', type: 'uint256' },
        { name: 'sponsor', type: 'address' },
      ],
    },
    primaryType: 'Execute',
    message: {
      operations: keccak256(packed(terms.operations)),
      nonce: toHexText(terms.nonce),
      deadline: terms.deadline,
      sponsor: parseAddress(sponsor),
    },
  })
  return fromHex(hash.slice(2))
}

function packed(operations: readonly AccountOperation[]): `0x${string}` {
  const types = ['address', 'uint256', 'uint256', 'bytes'] as const
  return concatHex(
    operations.map(({ to, value, data }) =>
      encodePacked(types, [parseAddress(to), value, BigInt(data.length), toHexText(data)]),
    ),
  )
}
