import { tokenCall } from '@quorate/chains/evm/index'
import { coin } from '@quorate/chains/testing/small-coin'
import { fromHex, toHex } from '@quorate/core/bytes'
import { keccak256, serializeTransaction } from 'viem'
import type { SimulatedWallet } from './wishes.ts'
import type { World } from './world.ts'

/** What a wallet's owner sends past all servers, with a key of his own. @returns whether a node took it */
export function outside(world: World, wallet: SimulatedWallet): boolean {
  const [to, fee] = [stranger(world), someFee(world)]
  const nonce = world.chain.account(wallet.address).nonce + world.random.between(0, 2)
  return send(world, wallet, { nonce, fee, to, value: 1n, gas: 21_000n })
}

/**
 * All units of the coin, behind whatever waits: until a block has it, all of them seem to be there, and
 * what a server pays with them comes behind it, is carried out and fails.
 */
export function spendUnits(world: World, wallet: SimulatedWallet): boolean {
  const { address } = wallet
  const { address: contract } = coin
  const [to, fee] = [stranger(world), someFee(world)]
  const nonce = Math.max(...world.nodes.map((node) => node.pending(address)))
  const amount = world.chain.account(address).units
  const move = { kind: 'Erc20', contract, to, amount } as const
  const data = `0x${toHex(tokenCall(address, move))}` as const
  return send(world, wallet, { nonce, fee, to: contract, value: 0n, data, gas: 60_000n })
}

const gwei = 10n ** 9n

function stranger({ random }: World): `0x${string}` {
  return `0x${toHex(random.bytes(20))}`
}

function someFee({ random }: World): bigint {
  return BigInt(random.between(2, 60)) * gwei
}

type Sent = {
  readonly nonce: number
  readonly fee: bigint
  readonly to: `0x${string}`
  readonly value: bigint
  readonly data?: `0x${string}`
  readonly gas: bigint
}

function send(world: World, wallet: SimulatedWallet, { fee, ...sent }: Sent): boolean {
  const { signers, chain, nodes } = world
  const price = { maxFeePerGas: fee, maxPriorityFeePerGas: fee }
  const unsigned = { ...({ type: 'eip1559' } as const), chainId: chain.chainId, ...sent, ...price }
  const digest = fromHex(keccak256(serializeTransaction(unsigned)).slice(2))
  const signature = signers.outside(wallet.key, digest)
  if (signature.scheme !== 'ECDSA') throw new TypeError('such a key makes ECDSA signatures')
  const [r, s] = [signature.r, signature.s].map((part) => `0x${toHex(part)}` as const)
  if (r === undefined || s === undefined) throw new TypeError('a signature has two parts')
  const raw = serializeTransaction(unsigned, { r, s, yParity: signature.recid & 1 })
  world.sentOutside.add(keccak256(raw))
  world.hardships.sawOutside(wallet.address, world.time)
  let isTaken = false
  for (const node of nodes)
    try {
      node.add(raw)
      isTaken = true
    } catch {
      // Another one is there at its nonce, or no money for it.
    }
  return isTaken
}
