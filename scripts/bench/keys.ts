import type { BenchPlatform } from './platform.ts'
import { heading, line, timed } from './measure.ts'

/** Each with what signs a new message by it. */
export type Signables = {
  readonly keys: readonly (() => Promise<unknown>)[]
  readonly wallets: readonly (() => Promise<unknown>)[]
}

/** Makes Ed25519 keys, and wallets with an ECDSA key each, and tells how long that took. */
export async function benchKeys(
  { sdk }: BenchPlatform,
  count: number,
  say: (text: string) => void,
): Promise<Signables> {
  const [keys, wallets]: [string[], string[]] = [[], []]
  const [keyTimes, walletTimes]: [number[], number[]] = [[], []]
  for (let i = 0; i < count; i++) {
    const key = await timed(() =>
      sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } }),
    )
    keys.push(key.value.id)
    keyTimes.push(key.ms)
  }
  for (let i = 0; i < count; i++) {
    const wallet = await timed(() =>
      sdk.wallets.createWallet({ body: { network: 'EthereumSepolia' } }),
    )
    wallets.push(wallet.value.id)
    walletTimes.push(wallet.ms)
  }
  say(heading('Keys are born, milliseconds'))
  say(line('EdDSA key', keyTimes))
  say(line('first wallet: signers pair up for ECDSA', walletTimes.slice(0, 1)))
  say(line('wallet with an ECDSA key', walletTimes.slice(1)))
  const body = () => ({ kind: 'Message' as const, message: newMessage() })
  return {
    keys: keys.map((keyId) => () => sdk.keys.generateSignature({ keyId, body: body() })),
    wallets: wallets.map(
      (walletId) => () => sdk.wallets.generateSignature({ walletId, body: body() }),
    ),
  }
}

let messages = 0

/** A signature is asked for once: the same message again would be another request all the same. */
function newMessage(): `0x${string}` {
  messages += 1
  return `0x${Buffer.from(`message ${messages} of a benchmark`).toString('hex')}`
}
