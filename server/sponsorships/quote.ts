import { delegationOf, isDeployed } from '@quorate/chains/evm/account/account'
import type { Match, OperationName } from '@quorate/authority/operations'
import { isObject, type Json } from '@quorate/core/json'
import { isSponsored } from '@quorate/effects/plan'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { aboveCeiling, checkIntent, readableIntent } from '../chain/ask.ts'
import { evmNetwork, type Chain, type Chains } from '../chain/chains.ts'
import { requireTokens, tokenMoveOf, tokenWords } from '../chain/tokens.ts'
import { findWallet } from '../wallets/find.ts'
import { estimateFee } from './estimate.ts'
import { checkSponsor, findSponsor, unsuitable, type SponsorDeps } from './sponsor.ts'
import { operationsOf } from './terms.ts'

export type SponsoredQuoteDeps = SponsorDeps & { readonly chains: Chains }

const operations: { readonly [Name in OperationName]?: 'transfer' | 'transaction' } = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
}

/** Is it asked that somebody else pays? */
export function namesSponsor({ name }: Pick<Match, 'name'>, body: Json): boolean {
  const isPayable = operations[name] !== undefined
  return isPayable && isObject(body) && body['feeSponsorId'] !== undefined
}

/**
 * The bound on what the sponsor may be made to pay: twice what it would cost now, as for any request,
 * and never more than the network's ceiling, or what the sponsor pays for one.
 *
 * @throws Failure for everything that is known to be refused later
 */
export async function quoteSponsored(
  deps: SponsoredQuoteDeps,
  caller: Caller,
  { name, params }: Match,
  body: Json,
): Promise<bigint | undefined> {
  const intent = readableIntent(operations[name] ?? 'transfer', JSON.stringify(body))
  if (!isSponsored(intent)) return undefined
  const wallet = await findWallet(deps.database, caller, params['walletId'] ?? '')
  const from = wallet.address ?? ''
  const network = evmNetwork(deps.chains.networks, wallet.network)
  checkIntent({ network, publicKey: wallet.public_key, address: from }, intent)
  const chain = deps.chains.find(wallet.network)
  await chain.ready()
  const id = await readRoot(deps.log, caller.organization, (root) =>
    checkSponsor(root, caller, wallet, intent.feeSponsorId),
  )
  const { record } = await findSponsor(deps, caller, id)
  const move = tokenMoveOf(intent)
  if (move !== undefined) {
    await tokenWords(chain, move)
    await requireTokens(chain, from, move)
  }
  const isDelegated = (await accountKind(chain, from)) === 'ours'
  const fee = await estimateFee(chain, operationsOf(intent, from), { from, isDelegated })
  const { feeCeiling } = network
  if (fee > feeCeiling) throw aboveCeiling(network, fee)
  const { perOperation = feeCeiling } = record.limits
  if (fee > perOperation)
    throw unsuitable(`the fee sponsor pays ${perOperation} for one, and it may cost ${fee}`)
  return least(2n * fee, feeCeiling, perOperation)
}

/** @throws Failure `fee_sponsor.unsuitable` where an account there cannot be sponsored */
async function accountKind({ rpc, network }: Chain, address: string): Promise<'ours' | 'none'> {
  if (!(await isDeployed(rpc)))
    throw unsuitable(`nobody has made the account contract on ${network.id} yet`)
  const kind = await delegationOf(rpc, address)
  if (kind === 'other') throw unsuitable('the wallet runs the code of another contract')
  return kind
}

function least(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((a, b) => (a < b ? a : b), first)
}
