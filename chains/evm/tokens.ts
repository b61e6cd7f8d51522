import { fromHex, fromUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { encodeFunctionData, parseAbi } from 'viem'
import type { Rpc } from '../adapter.ts'
import { answerTooLong } from '../nodes.ts'
import { parseAddress } from './address.ts'
import { readBytes } from './answer.ts'
import { isOfContract } from './refusals.ts'
import { toHexText } from './transaction.ts'

/** Units of a coin (ERC-20), a piece of a collection (ERC-721), or units of a piece (ERC-1155). */
export type TokenMove = {
  readonly contract: string
  readonly to: string
} & (
  | { readonly kind: 'Erc20'; readonly amount: bigint }
  | { readonly kind: 'Erc721'; readonly tokenId: bigint }
  | { readonly kind: 'Erc1155'; readonly tokenId: bigint; readonly amount: bigint }
)
export type TokenKind = TokenMove['kind']

/** What a contract says of itself. Nobody has checked it, and no amount is ever computed with it. */
export type TokenWords = { readonly symbol?: string; readonly decimals?: number }

const abi = {
  Erc20: parseAbi([
    'function transfer(address to, uint256 amount)',
    'function balanceOf(address owner) view returns (uint256)',
    'function decimals() view returns (uint8)',
    'function symbol() view returns (string)',
  ]),
  Erc721: parseAbi([
    'function safeTransferFrom(address from, address to, uint256 tokenId)',
    'function ownerOf(uint256 tokenId) view returns (address)',
    'function tokenURI(uint256 tokenId) view returns (string)',
    'function supportsInterface(bytes4 interfaceId) view returns (bool)',
  ]),
  Erc1155: parseAbi([
    'function safeTransferFrom(address from, address to, uint256 tokenId, uint256 amount, bytes data)',
    'function balanceOf(address owner, uint256 tokenId) view returns (uint256)',
  ]),
}

/** The interface ids of their standards (ERC-165). */
const interfaceIds = { Erc721: '0x80ac58cd', Erc1155: '0xd9b67a26' } as const
/** What simple answers cost; whoever needs more is no token that anybody can pay with. */
const gasOfQuestion = 500_000n
/** ERC-20 has room for 255, of which nobody uses more than 36. */
const decimalsMax = 36
const symbolLengthMax = 32
/** A text in the ABI has two words before it, and at most four bytes for a character. */
const symbolBytesMax = 2 * 32 + 4 * symbolLengthMax
/** Some pieces carry their whole picture in it, which no list has room for. */
const uriBytesMax = 2 * 32 + 2_048

/** The call that moves it. @throws Failure `address.malformed` */
export function tokenCall(from: string, move: TokenMove): Uint8Array {
  const [sender, to] = [parseAddress(from), parseAddress(move.to)]
  return fromHex(encodedMove(sender, to, move).slice(2))
}

function encodedMove(from: `0x${string}`, to: `0x${string}`, move: TokenMove): `0x${string}` {
  switch (move.kind) {
    case 'Erc20':
      return encodeFunctionData({
        ...{ abi: abi.Erc20, functionName: 'transfer', args: [to, move.amount] },
      })
    case 'Erc721':
      return encodeFunctionData({
        ...{ abi: abi.Erc721, functionName: 'safeTransferFrom', args: [from, to, move.tokenId] },
      })
    case 'Erc1155':
      return encodeFunctionData({
        ...{ abi: abi.Erc1155, functionName: 'safeTransferFrom' },
        args: [from, to, move.tokenId, move.amount, '0x'],
      })
  }
}

/**
 * Asks a contract whether it is a token of this kind.
 * @returns nothing where there is no contract, or none of this kind
 * @throws Failure `chain.unavailable`, `chain.refused`, `address.malformed`
 */
export async function readToken(
  rpc: Rpc,
  { kind, contract }: Pick<TokenMove, 'kind' | 'contract'>,
): Promise<TokenWords | undefined> {
  const to = parseAddress(contract)
  if (readBytes(await rpc('eth_getCode', [to, 'latest'])).length === 0) return undefined
  const symbol = await readSymbol(rpc, to)
  if (kind === 'Erc20') {
    const decimals = await readDecimals(rpc, to)
    return decimals === undefined ? undefined : { ...symbol, decimals }
  }
  return (await isOfInterface(rpc, to, interfaceIds[kind])) ? symbol : undefined
}

/**
 * What a contract that has moved something says of itself, whatever it is.
 * @param blockHash asked at that very block (EIP-1898): a node that lags behind it refuses, and does not say
 *   that there is nothing
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function readTokenWords(
  rpc: Rpc,
  contract: string,
  blockHash: string,
): Promise<TokenWords> {
  const to = parseAddress(contract)
  const [symbol, decimals] = await Promise.all([
    readSymbol(rpc, to, blockHash),
    readDecimals(rpc, to, blockHash),
  ])
  return decimals === undefined ? symbol : { ...symbol, decimals }
}

/**
 * How much of what is to move the sender has, as the token says.
 * @param blockHash asked at that very block (EIP-1898), else at the newest
 * @returns nothing of it also where the contract refuses to say
 * @throws Failure `chain.unavailable`, `chain.refused`
 */
export async function tokenHolding(
  rpc: Rpc,
  from: string,
  move: TokenMove,
  blockHash?: string,
): Promise<bigint> {
  const owner = parseAddress(from)
  const to = parseAddress(move.contract)
  const answer = await ask(rpc, to, holdingQuestion(owner, move), blockHash)
  if (answer?.length !== 32) return 0n
  const word = BigInt(toHexText(answer))
  if (move.kind !== 'Erc721') return word
  return word === BigInt(owner) ? 1n : 0n
}

function holdingQuestion(owner: `0x${string}`, move: TokenMove): `0x${string}` {
  switch (move.kind) {
    case 'Erc20':
      return encodeFunctionData({ abi: abi.Erc20, functionName: 'balanceOf', args: [owner] })
    case 'Erc721':
      return encodeFunctionData({
        ...{ abi: abi.Erc721, functionName: 'ownerOf', args: [move.tokenId] },
      })
    case 'Erc1155':
      return encodeFunctionData({
        ...{ abi: abi.Erc1155, functionName: 'balanceOf', args: [owner, move.tokenId] },
      })
  }
}

/** Where a piece says that its picture is: nobody of ours ever follows it. */
export async function readTokenUri(
  rpc: Rpc,
  piece: { readonly contract: string; readonly tokenId: bigint; readonly blockHash: string },
): Promise<string | undefined> {
  const question = encodeFunctionData({
    ...{ abi: abi.Erc721, functionName: 'tokenURI', args: [piece.tokenId] },
  })
  const answer = await ask(rpc, parseAddress(piece.contract), question, piece.blockHash)
  const uri = answer === undefined ? undefined : textOf(answer, uriBytesMax)
  // Printable ASCII alone, which is all that an address may have (RFC 3986).
  return uri !== undefined && /^[!-~]+$/.test(uri) ? uri : undefined
}

async function readDecimals(rpc: Rpc, to: string, blockHash?: string): Promise<number | undefined> {
  const question = encodeFunctionData({ abi: abi.Erc20, functionName: 'decimals' })
  const answer = await ask(rpc, to, question, blockHash)
  if (answer?.length !== 32) return undefined
  const decimals = BigInt(toHexText(answer))
  return decimals <= BigInt(decimalsMax) ? Number(decimals) : undefined
}

/** As `string`, or in 32 bytes, as the first tokens had it. Whatever else it is, nobody is shown. */
async function readSymbol(
  rpc: Rpc,
  to: string,
  blockHash?: string,
): Promise<Pick<TokenWords, 'symbol'>> {
  const question = encodeFunctionData({ abi: abi.Erc20, functionName: 'symbol' })
  const answer = (await ask(rpc, to, question, blockHash)) ?? new Uint8Array()
  const symbol = textOf(answer)
  // No marks and nothing invisible: a text that turns around or hides is another one than it seems.
  const isPlain = symbol !== undefined && /^[\p{L}\p{N}\p{P}\p{S} ]+$/u.test(symbol)
  return isPlain && symbol.length <= symbolLengthMax ? { symbol } : {}
}

function textOf(answer: Uint8Array, bytesMax = symbolBytesMax): string | undefined {
  if (answer.length === 32) return decoded(answer.subarray(0, lengthOfShort(answer)))
  if (answer.length < 64 || answer.length > bytesMax) return undefined
  const length = BigInt(toHexText(answer.subarray(32, 64)))
  if (BigInt(toHexText(answer.subarray(0, 32))) !== 32n) return undefined
  if (length > BigInt(answer.length - 64)) return undefined
  return decoded(answer.subarray(64, 64 + Number(length)))
}

function lengthOfShort(word: Uint8Array): number {
  const end = word.indexOf(0)
  return end === -1 ? word.length : end
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return fromUtf8(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

async function isOfInterface(rpc: Rpc, to: string, id: `0x${string}`): Promise<boolean> {
  const question = encodeFunctionData({
    ...{ abi: abi.Erc721, functionName: 'supportsInterface', args: [id] },
  })
  const answer = await ask(rpc, to, question)
  return answer?.length === 32 && BigInt(toHexText(answer)) === 1n
}

/**
 * @returns nothing where the contract refuses, or says more than anybody reads
 * @throws Failure `chain.unavailable`, `chain.refused` where it is the node that does: nothing is known then
 */
async function ask(
  rpc: Rpc,
  to: string,
  data: `0x${string}`,
  blockHash?: string,
): Promise<Uint8Array | undefined> {
  try {
    const at = blockHash === undefined ? 'latest' : { blockHash, requireCanonical: true }
    // Named, so that a contract cannot answer each node otherwise by whom that takes for the caller.
    const call = { from: nobody, to, data, gas: `0x${gasOfQuestion.toString(16)}` }
    return readBytes(await rpc('eth_call', [call, at]))
  } catch (error) {
    if (!isFailure(error, 'chain.refused')) throw error
    if (isOfContract(error) || error.context.reason === answerTooLong) return undefined
    throw error
  }
}

const nobody = `0x${'00'.repeat(20)}`
