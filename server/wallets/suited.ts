import { Failure } from '@quorate/core/failure'
import type { NetworkTraits, Rules } from '@quorate/authority/reduce/judging'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { findKey, type KeyRow } from '../keys/find.ts'
import { checkMaster } from '../keys/master.ts'
import { checkNotArchived, checkNotWaiting } from '../keys/reach.ts'

type Asked = {
  readonly network: string
  readonly signingKey?:
    | {
        readonly id?: string | undefined
        readonly scheme?: string | undefined
        readonly curve?: string | undefined
        readonly deriveFrom?: Parameters<typeof checkMaster>[2]['deriveFrom']
      }
    | undefined
}

export type SuitedDeps = {
  readonly database: Database
  readonly rules: Pick<Rules, 'networkOf'>
  readonly takesWallets: (network: string) => boolean
}
type Network = NetworkTraits & { readonly id: string }

/**
 * Does the key go with the network? Only for a better answer than the signers', who see to it by
 * themselves, and before a request is burned for it.
 *
 * @throws Failure `request.unsupported`, `key.not_found`, `key.unsuitable`, `wallet.already_exists`,
 *   and those of `checkMaster`
 */
export async function checkSuited(
  deps: SuitedDeps,
  caller: Caller,
  { network: networkId, signingKey = {} }: Asked,
): Promise<void> {
  const { database, rules, takesWallets } = deps
  const traits = rules.networkOf(networkId)
  if (traits === undefined) throw unsupported(`${networkId} is not supported yet`)
  const network = { ...traits, id: networkId }
  if (network.isRetired) throw unsupported(`${networkId} is retired and takes no new wallets`)
  if (!takesWallets(networkId))
    throw unsupported(`${networkId} has no nodes, and takes no new wallets`)
  const { id: keyId, scheme = network.scheme, curve = network.curve, deriveFrom } = signingKey
  checkKind(network, { scheme, curve })
  await checkMaster(database, caller, { scheme, curve, deriveFrom })
  if (keyId === undefined) return
  const key = await findKey(database, caller, keyId)
  checkNotArchived(key)
  checkNotWaiting(caller, key)
  checkKind(network, key)
  await checkFree(deps, key, network)
}

function checkKind(
  network: Network,
  { scheme, curve }: { readonly scheme: string; readonly curve: string },
): void {
  if (scheme !== network.scheme || curve !== network.curve)
    throw unsuitable(`${network.id} needs ${network.scheme} on ${network.curve}`)
}

/** One wallet on each network; several networks only if their signed bytes tell them apart. */
async function checkFree(
  { database, rules }: Omit<SuitedDeps, 'takesWallets'>,
  key: KeyRow,
  network: Network,
): Promise<void> {
  const others = await database
    .selectFrom('wallets')
    .select('network')
    .where('organization', '=', key.organization)
    .where('key', '=', key.id)
    .execute()
  if (others.some((other) => other.network === network.id))
    throw new Failure('wallet.already_exists', { keyId: key.key_id, network: network.id })
  const all = [network, ...others.flatMap((other) => rules.networkOf(other.network) ?? [])]
  if (all.length > 1 && all.some(({ separated }) => !separated))
    throw unsuitable('the signatures of its networks could not be told apart')
}

function unsupported(reason: string): Failure {
  return new Failure('request.unsupported', { reason })
}

function unsuitable(reason: string): Failure {
  return new Failure('key.unsuitable', { reason })
}
