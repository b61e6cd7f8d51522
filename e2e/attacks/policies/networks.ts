import { fromHex, toHex } from '@quorate/core/bytes'
import { encodeUnsigned } from '@quorate/effects/evm/transaction'
import { evmFacts, recipient } from '@quorate/signer/testing/uses'
import { at, attack, rule, without, type Attack } from '../attack.ts'
import type { Cast } from '../cast.ts'
import { made, type Stage, type Wallet } from '../stage.ts'
import {
  blocked,
  bodyOf,
  guarded,
  message,
  priced,
  rule as policyRule,
  transaction,
  type Policy,
} from './scene.ts'

/** One key with wallets on two networks: what is forbidden on the one, or meant for it alone. */

const effects = 'effects/evm/effect.ts'
const asVariant = { isVariant: true }
const sepolia = 11155111n
const token = `0x${'88'.repeat(20)}`
const gwei = 10n ** 9n
const perHour = { timeframe: 60 }
/** A million dollars for a coin, and so 420 for a transfer's fee: limits are in whole dollars. */
const dear = { micros: 10n ** 12n }

function joining(stage: Stage, { key }: Pick<Wallet, 'key'>, network: string) {
  const body = { network, signingKey: { id: key.name } }
  return stage.ask(stage.admin, { path: '/wallets', body, ids: { 'signingKey.id': key.id } })
}

const aCoin = 10n ** 18n
/** Where a contract moves the network's own coin. */
const coins = {
  Celo: '0x471ece3750da237f93b8e339c536989b8978a438',
  Arc: '0x3600000000000000000000000000000000000000',
} as const

/** Two of a coin, in the units of its contract, where one may leave. */
const byContract = (
  name: string,
  network: keyof typeof coins,
  amount: bigint,
  replaced: readonly [string, string],
): Attack =>
  attack(name, blocked('effects/evm/coin.ts', ...replaced), async ({ stage }) => {
    const configuration = { asset: `${network}/Native`, limit: `${aCoin}` }
    const limit = { rule: policyRule('TransactionAssetLimit', configuration) }
    const first = await guarded(stage, limit)
    const evidence = await stage.put('wallet', joining(stage, first, network))
    const second = { ...made(evidence, 'wallet'), key: first.key }
    const body = { kind: 'Erc20', contract: coins[network], amount: `${amount}` }
    return stage.use(stage.transfer(stage.admin, second, { nonce: 0n, body }), second)
  })

const disguised: readonly Attack[] = [
  byContract(
    'pays the network’s own coin out by the contract that moves it, past the limit on the coin',
    'Celo',
    2n * aCoin,
    ['nativeContract?.address === contract', 'nativeContract?.address === to'],
  ),
  byContract(
    'pays the network’s own coin out by a contract that counts it in larger units',
    'Arc',
    2_000_000n,
    ['amount: amount * nativeContract.units', 'amount'],
  ),
]

const misnamed = (asset: string) => {
  const rule = policyRule('TransactionAssetLimit', { asset, limit: '5' })
  return ({ stage }: Cast) =>
    stage.propose(
      'policy',
      stage.ask(stage.admin, { path: '/v2/policies', body: bodyOf({ rule }) }),
    )
}
const namings: readonly Attack[] = [
  attack(
    'has a limit agreed on that no payment can reach, as there is no such network',
    without(at('judge/policies.ts', 'and there is no such network'), [
      "if (network?.family !== 'evm') return `asset is on ${id}, and there is no such network`",
      'if (network?.family !== "evm") return undefined',
    ]),
    misnamed('Sepolia/Native'),
  ),
  attack(
    'has a limit agreed on that bears the name of a contract, where that moves the coin',
    without(at('judge/policies.ts', 'and called Celo/Native', 'and called ${id}/Native'), [
      'if (contract !== undefined && network.nativeContract',
      'if (contract === "" && network.nativeContract',
    ]),
    misnamed(`Celo/Erc20/${coins.Celo}`),
  ),
]

type Both = { readonly first: Wallet; readonly second: Wallet }

/** The first is on Sepolia, where policies name it; the second is on Base, where none does. */
async function onBoth(stage: Stage, ...policies: readonly Policy[]): Promise<Both> {
  const first = await guarded(stage, ...policies)
  const evidence = await stage.put('wallet', joining(stage, first, 'Base'))
  return { first, second: { ...made(evidence, 'wallet'), key: first.key } }
}

/** Whole bytes of a payment on Sepolia. */
const sepoliaBytes = toHex(
  encodeUnsigned({
    ...{ type: 2, chainId: sepolia, nonce: 0n, gasLimit: 21_000n, value: 1n },
    ...{ maxPriorityFeePerGas: gwei, maxFeePerGas: 20n * gwei },
    ...{ to: fromHex(recipient.slice(2)), data: new Uint8Array(), accessList: [] },
  }),
)
const address = { type: 'address' }
const permit = {
  kind: 'Eip712',
  types: {
    Permit: [
      { name: 'owner', ...address },
      { name: 'spender', ...address },
      { name: 'value', type: 'uint256' },
    ],
  },
  domain: { name: 'Coin', chainId: Number(sepolia), verifyingContract: token },
  message: { owner: token, spender: recipient, value: '1' },
}

const mixedUp: readonly Attack[] = [
  attack(
    'has the wallet on one network sign a transaction on the other network of its key',
    without(at(effects, 'the transaction names another chain'), [
      "throw refused('the transaction names another chain')",
      'void 0',
    ]),
    async ({ stage }) => {
      const { second } = await onBoth(stage)
      return stage.use(transaction(stage, second, `0x${sepoliaBytes}`), second)
    },
  ),
  attack(
    'has the wallet on one network sign a permit for the other network of its key',
    without(at(effects, 'the domain names another chain'), [
      "throw refused('the domain names another chain')",
      'void 0',
    ]),
    async ({ stage }) => {
      const { second } = await onBoth(stage)
      return stage.use(message(stage, second, permit), second)
    },
  ),
  attack(
    'puts a second wallet of one network on a key',
    rule('key', 'the key has a wallet on this network'),
    async ({ stage }) => {
      const { first } = await onBoth(stage)
      return stage.propose('wallet', joining(stage, first, 'Base'))
    },
  ),
  attack(
    'puts a retired network on a key',
    rule('key', 'the network takes no new wallets'),
    async ({ stage }) => {
      const { first } = await onBoth(stage)
      return stage.propose('wallet', joining(stage, first, 'EthereumGoerli'))
    },
  ),
]

/** Pays once with the first wallet and then with the second. */
const onTheOther = (name: string, check: Attack['check'], policy: Policy): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const { first, second } = await onBoth(stage, policy)
      const spent = stage.transfer(stage.admin, first, { facts: priced(stage, 0n, dear) })
      await stage.put('use', spent, stage.placeOf(first))
      const facts = priced(stage, 0n, { ...dear, asset: 'Base/Native' })
      return stage.use(stage.transfer(stage.admin, second, { facts }), second)
    },
    asVariant,
  )

const evading: readonly Attack[] = [
  attack(
    'pays by the second wallet of a key what a policy blocks for the first',
    blocked(
      'authority/reduce/gate.ts',
      'wallets: wallets.map(({ wallet }) => ({',
      'wallets: wallets.slice(-1).map(({ wallet }) => ({',
    ),
    async ({ stage }) => {
      const { second } = await onBoth(stage, {})
      const payment = stage.transfer(stage.admin, second, { facts: evmFacts(0n) })
      return stage.use(payment, second)
    },
    asVariant,
  ),
  onTheOther(
    'pays once on each network of a key, where a policy lets it pay once',
    blocked(
      'policy/rules.ts',
      'BigInt(count + (isCounted ? 0 : 1))',
      'BigInt(count - count + (isCounted ? 0 : 1))',
    ),
    { rule: policyRule('TransactionCountVelocity', { limit: 1, ...perHour }) },
  ),
  onTheOther(
    'spends what a limit in dollars allows on each network of a key',
    blocked(
      'policy/rules.ts',
      'const value = prior.micros + added.micros',
      'const value = added.micros',
    ),
    {
      rule: policyRule('TransactionAmountVelocity', { currency: 'USD', limit: 600, ...perHour }),
    },
  ),
]

export const acrossNetworks: readonly Attack[] = [...mixedUp, ...evading, ...disguised, ...namings]
