import type { TransferIntent } from '../intent.ts'
import { refused } from '../json.ts'
import { addressWord, encodeCall, naturalWord } from './abi.ts'
import { readAddress } from './address.ts'
import { readRecipient, type TransactionRequest } from './request.ts'

/**
 * The transaction that a transfer is. A token is asked by the one function that belongs to its own
 * standard: `transferFrom` would move a piece of a collection too, and units of a coin by the same bytes.
 * @param from 20 bytes
 * @throws Failure `request.refused`
 */
export function requestOfTransfer(intent: TransferIntent, from: Uint8Array): TransactionRequest {
  const to = readRecipient(intent.to)
  if (intent.asset === 'Native') {
    if (intent.memo !== undefined) throw refused('this network carries no memo')
    return { type: 2, to, value: intent.amount, data: new Uint8Array() }
  }
  const contract = readAddress(intent.contract)
  if (contract === undefined) throw refused('contract is not an address, or its checksum is wrong')
  return { type: 2, to: contract, value: 0n, data: callOf(intent, { from, to }) }
}

type TokenIntent = Exclude<TransferIntent, { asset: 'Native' }>
type Ends = { readonly from: Uint8Array; readonly to: Uint8Array }

function callOf(intent: TokenIntent, { from, to }: Ends): Uint8Array {
  switch (intent.asset) {
    case 'Erc20':
      // transfer(address,uint256)
      return encodeCall('a9059cbb', addressWord(to), naturalWord(intent.amount))
    case 'Erc721': {
      // safeTransferFrom(address,address,uint256): a contract that could not give it back refuses it.
      const id = naturalWord(intent.tokenId)
      return encodeCall('42842e0e', addressWord(from), addressWord(to), id)
    }
    case 'Erc1155': {
      // safeTransferFrom(address,address,uint256,uint256,bytes), with no bytes: where they begin, and how many.
      const words = [intent.tokenId, intent.amount, 160n, 0n].map(naturalWord)
      return encodeCall('f242432a', addressWord(from), addressWord(to), ...words)
    }
  }
}
