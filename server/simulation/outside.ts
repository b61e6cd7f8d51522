import { fromHex } from '@quorate/core/bytes'
import { keccak256, serializeTransaction } from 'viem'
import type { SimulatedWallet } from './wishes.ts'
import type { World } from './world.ts'

/** What a wallet's owner sends past all servers, with a key of his own. @returns whether a node took it */
export function outside(world: World, wallet: SimulatedWallet): boolean {
  const { random, signers, chain, nodes } = world
  const mined = chain.account(wallet.address).nonce
  const recipient = `0x${Buffer.from(random.bytes(20)).toString('hex')}` as const
  const fee = BigInt(random.between(2, 60)) * 10n ** 9n
  const unsigned = {
    ...({
      type: 'eip1559',
      chainId: chain.chainId,
      to: recipient,
      value: 1n,
      gas: 21_000n,
    } as const),
    ...{ nonce: mined + random.between(0, 2), maxFeePerGas: fee, maxPriorityFeePerGas: fee },
  }
  const digest = fromHex(keccak256(serializeTransaction(unsigned)).slice(2))
  const signature = signers.outside(wallet.key, digest)
  if (signature.scheme !== 'ECDSA') throw new TypeError('such a key makes ECDSA signatures')
  const [r, s] = [signature.r, signature.s].map(
    (part) => `0x${Buffer.from(part).toString('hex')}` as const,
  )
  if (r === undefined || s === undefined) throw new TypeError('a signature has two parts')
  const raw = serializeTransaction(unsigned, { r, s, yParity: signature.recid & 1 })
  let isTaken = false
  for (const node of nodes)
    try {
      world.sentOutside.add(node.add(raw))
      isTaken = true
    } catch {
      // Another one is there at its nonce, or no money for it.
    }
  return isTaken
}
