import { isFailure } from '@quorate/core/failure'
import { isObject } from '@quorate/core/json'
import type { SignatureIntent, TransactionBody } from '../intent.ts'
import { readNatural } from '../json.ts'
import type { EvmNetwork, Networks } from '../networks.ts'
import { decodeUnsigned } from './transaction.ts'

/**
 * The network of what a key is to sign for Ethereum's like without being told which: its bytes name their
 * chain, or are the same on every one.
 * @returns nothing where they leave it open, and for a chain that is none here
 */
export function networkNamedIn(
  networks: Networks,
  ask: SignatureIntent['ask'],
): EvmNetwork | undefined {
  if (ask.kind === 'Message' || ask.kind === 'Eip191') return networks.onChain(1n)
  const chainId = chainNamedIn(ask)
  return chainId === undefined ? undefined : networks.onChain(chainId)
}

function chainNamedIn(ask: SignatureIntent['ask']): bigint | undefined {
  switch (ask.kind) {
    case 'Eip7702':
      return ask.chainId
    case 'Eip712':
      return unlessRefused(() =>
        isObject(ask.domain) ? readNatural(ask.domain['chainId'], 'chainId') : undefined,
      )
    case 'Transaction':
      return unlessRefused(() => chainOf(ask.transaction))
    default:
      return undefined
  }
}

/** An object is completed for the network that the caller names, and has no chain of its own. */
function chainOf(body: TransactionBody): bigint | undefined {
  return body.form === 'bytes' ? decodeUnsigned(body.bytes).chainId : undefined
}

/** What cannot be read is refused for what it is once a network has been named. */
function unlessRefused(read: () => bigint | undefined): bigint | undefined {
  try {
    return read()
  } catch (error) {
    if (isFailure(error, 'request.refused') || isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
