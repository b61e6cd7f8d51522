import { toHex } from '@quorate/core/bytes'
import type { Json } from '@quorate/core/json'
import type { Movement } from '@quorate/core/outflow'
import { readMembers, readNatural } from '../json.ts'
import { readAddress } from './address.ts'
import { type AssetNetwork, coinMovement } from './coin.ts'
import { isEndless, permit2 } from './outflow.ts'

/**
 * Struct types by which tokens let somebody take some of them, whole as they are signed: no contract that
 * honours one can be asked under another. What each lets him take is in its message.
 */
type Reader = (message: Json, domain: PermitDomain) => readonly Grant[]
type Grant = { readonly token: string; readonly to: string; readonly amount: bigint }
export type PermitDomain = {
  readonly network: AssetNetwork
  /** In lower case. */
  readonly contract: string
}

/** Policies have no room for facts about more; each is a line of what a key has spent. */
const grantsMax = 16
const details = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)'
const permissions = 'TokenPermissions(address token,uint256 amount)'

const readers: Readonly<Record<string, Reader>> = {
  // ERC-2612
  'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)': (
    message,
    { contract },
  ) => {
    const members = readMembers(message, 'message')
    return [
      {
        token: contract,
        to: addressIn(members.get('spender')),
        amount: readNatural(members.get('value'), 'value'),
      },
    ]
  },
  [`PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${details}`]: (
    message,
    domain,
  ) => granted(message, domain, 'details'),
  [`PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${details}`]: (
    message,
    domain,
  ) => granted(message, domain, 'details'),
  [`PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`]:
    (message, domain) => granted(message, domain, 'permitted'),
  [`PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)${permissions}`]:
    (message, domain) => granted(message, domain, 'permitted'),
}

/**
 * @param type the struct's own text (EIP-712, "encodeType"), with a message that was hashed by it
 * @returns nothing for any other struct, and for a permit that Permit2 is not to honour
 */
export function readPermit(
  type: string,
  message: Json,
  domain: PermitDomain,
): { readonly isWhole: boolean; readonly movements: readonly Movement[] } | undefined {
  const reader = Object.hasOwn(readers, type) ? readers[type] : undefined
  const grants = reader?.(message, domain) ?? []
  if (grants.length === 0 || grants.length > grantsMax) return undefined
  return {
    isWhole: !grants.some(({ amount }) => isEndless(amount)),
    movements: grants.map(({ token, to, amount }) =>
      coinMovement(domain.network, { contract: token, to, amount }),
    ),
  }
}

/** Of one token, or of each in a list. */
function granted(message: Json, { contract }: PermitDomain, member: string): readonly Grant[] {
  if (contract !== permit2) return []
  const members = readMembers(message, 'message')
  const to = addressIn(members.get('spender'))
  const given = members.get(member) ?? null
  return (Array.isArray(given) ? given : [given]).map((one) => {
    const { token, amount } = Object.fromEntries(readMembers(one, member))
    return { token: addressIn(token), to, amount: readNatural(amount, 'amount') }
  })
}

/** It was hashed as an address a moment ago. */
function addressIn(value: Json | undefined): string {
  const address = typeof value === 'string' ? readAddress(value) : undefined
  if (address === undefined) throw new TypeError('what was hashed as an address is one')
  return `0x${toHex(address)}`
}
