import type { Rpc } from '@quorate/chains/adapter'
import { fromHex, toUtf8 } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import type { RunningEthereum } from '@quorate/devnet/ethereum'
import { contracts } from '@quorate/devnet/testing/contracts'
import type { Deployed } from '@quorate/devnet/testing/deploy'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { type Abi, createWalletClient, encodeFunctionData, http } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import { watchWallet } from '../../balances/watch.ts'
import { type Database, inTransaction } from '../../database/database.ts'
import { walletRows, type WalletRow } from '../../wallets/find.ts'

const seed = new Uint8Array(32).fill(1)
export const organization = idOf(seed, 'organization')
/** The generator of secp256k1 (SEC 2, section 2.4.1): the key whose secret is 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
export const network = 'EthereumSepolia'
export const address = addressOf(tableNetworks, network, publicKey) as `0x${string}`

/** A wallet of nobody's making: chains are followed for it like for any other. */
export async function addWallet(database: Database, at: string = address): Promise<WalletRow> {
  const [key, id] = [idOf(seed, 'key'), idOf(toUtf8(at), 'wallet')]
  const row = { organization, created_at: 0, name: null }
  const born = {
    ...{ key_id: nameOf('key', key), public_key: publicKey },
    ...{ certificate: new Uint8Array(), master: false },
  }
  const kind = { scheme: 'ECDSA', curve: 'secp256k1', untweaked: false } as const
  await database
    .insertInto('keys')
    .values({ ...row, id: key, ...born, ...kind })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const named = {
    ...{ id, wallet_id: nameOf('wallet', id), key, network, address: at },
    ...{ external_id: null, tags: '[]', owner: null },
  }
  await inTransaction(database, async (transaction) => {
    await transaction
      .insertInto('wallets')
      .values({ ...row, ...named })
      .execute()
    await watchWallet(transaction, { organization, id, network })
  })
  return walletRows(database, { organization })
    .where('wallet_id', '=', named.wallet_id)
    .executeTakeFirstOrThrow()
}

/** From the development node's rich account. @returns the hash, before any block has it */
export async function pay(
  node: RunningEthereum,
  value: bigint,
  to: `0x${string}` = address,
): Promise<string> {
  return richClient(node).sendTransaction({ to, value, gas: 21_000n })
}

/** Nine units to a contract that passes them on, in a block of their own. */
export async function payBy(
  node: RunningEthereum,
  rpc: Rpc,
  {
    payer: { address: to },
    ...call
  }: { payer: Deployed; functionName: string; args: readonly string[] },
): Promise<string> {
  const abi = contracts.Payer.abi as Abi
  const data = encodeFunctionData({ abi, ...call })
  const hash = await richClient(node).sendTransaction({ to, value: 9n, data, gas: 200_000n })
  await mine(rpc, 1)
  return hash
}

export async function mine(rpc: Rpc, blocks: number): Promise<void> {
  await rpc('anvil_mine', [`0x${blocks.toString(16)}`])
}

function richClient({ fundedPrivateKey, rpcUrl }: RunningEthereum) {
  const account = privateKeyToAccount(fundedPrivateKey as `0x${string}`)
  return createWalletClient({ account, chain: sepolia, transport: http(rpcUrl) })
}
