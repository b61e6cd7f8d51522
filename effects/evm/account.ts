import { keccak_256 } from '@noble/hashes/sha3.js'
import { bigToBytes, concat, concatAll, fromHex, toUtf8 } from '@quorate/core/bytes'
import { addressWord, encodeCall, naturalWord, wordSize } from './abi.ts'
import type { EvmSignature } from './transaction.ts'

/**
 * The contract whose code accounts run so that somebody else pays (`chains/evm/account/account.sol`):
 * one address on every chain, since it follows from the code. What it does is known, and nobody can change it.
 */
export const accountContract = fromHex('546c1d5988c49c84deb825543e466ffaf7a70f83')

/** One call of an account's. */
export type Operation = {
  /** 20 bytes. */
  readonly to: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
}

/** What an account's key signs: these operations, once, until then, for one who pays. */
export type AccountTerms = {
  /** 20 bytes. */
  readonly account: Uint8Array
  /** As `encodeOperations` has them. */
  readonly operations: Uint8Array
  /** 32 bytes: of those that have the same, the chain takes one. */
  readonly nonce: Uint8Array
  /** Seconds since 1970, by the chain's clock. */
  readonly deadline: bigint
}

/** To, value, length of data, data: of 20, 32 and 32 bytes. */
export function encodeOperations(operations: readonly Operation[]): Uint8Array {
  return concatAll(
    operations.flatMap(({ to, value, data }) => [
      ...[to, bigToBytes(value, 32), bigToBytes(BigInt(data.length), 32), data],
    ]),
  )
}

const domainType = keccak_256(toUtf8('EIP712Domain(uint256 chainId,address verifyingContract)'))
const executeType = keccak_256(
  toUtf8('Execute(bytes32 operations,bytes32 nonce,uint256 deadline,address sponsor)'),
)

/**
 * EIP-712. The account itself is the verifying contract: no other one can use the signature, on no
 * other chain, and nobody but the sponsor that it names.
 */
export function executeDigest(
  { account, operations, nonce, deadline }: AccountTerms,
  { chainId, sponsor }: { readonly chainId: bigint; readonly sponsor: Uint8Array },
): Uint8Array {
  const domain = keccak_256(concat(domainType, naturalWord(chainId), addressWord(account)))
  const terms = [keccak_256(operations), nonce, naturalWord(deadline), addressWord(sponsor)]
  return keccak_256(
    concat(new Uint8Array([0x19, 1]), domain, keccak_256(concat(executeType, ...terms))),
  )
}

/** The call of the contract by which the sponsor has the terms carried out. */
export function relayCall(
  { account, operations, nonce, deadline }: AccountTerms,
  { r, s, yParity }: EvmSignature,
): Uint8Array {
  const padding = new Uint8Array((wordSize - (operations.length % wordSize)) % wordSize)
  // EIP-2098: s leaves its highest bit free.
  const vs = naturalWord((BigInt(yParity) << 255n) | s)
  return encodeCall(
    // relay(address,bytes,bytes32,uint256,bytes32,bytes32): the bytes stand behind its six words.
    '84c169d9',
    ...[addressWord(account), naturalWord(BigInt(6 * wordSize)), nonce, naturalWord(deadline)],
    ...[naturalWord(r), vs, naturalWord(BigInt(operations.length)), operations, padding],
  )
}
