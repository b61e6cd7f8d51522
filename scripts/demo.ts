import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { quorateClient } from '@quorate/client/quorate-client'
import type { BootstrapFile } from '@quorate/cli/bootstrap'
import {
  type Address,
  createPublicClient,
  createWalletClient,
  formatEther,
  http,
  parseEther,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { sepolia } from 'viem/chains'
import { demoSettings } from './settings.ts'
import { openStage, type Stage } from './stage.ts'

type Platform = BootstrapFile & {
  readonly processes: { readonly signers: readonly Process[] }
  readonly devnet: {
    readonly EthereumSepolia: { readonly rpcUrl: string; readonly fundedPrivateKey: Address }
  }
}
type Process = { readonly id: string; readonly pid: number }

type Play = {
  readonly platform: Platform
  readonly sdk: DfnsApiClient
  readonly stage: Stage
  readonly stopSignal: AbortSignal
}
type Wallet = { readonly id: string; readonly address: Address }

/** Whom the demo pays: a number that stands out in the history and that nobody owns. */
const payee: Address = '0x7777777777777777777777777777777777777777'
const deposit = parseEther('1')
const payment = parseEther('0.25')
/** Two blocks and a signature; with a frozen signer one deadline more. */
const confirmedMsMax = 30_000
/** A block comes every second. */
const pollMs = 100

/** `npm run demo`: tells what this is about, on a platform that runs already. */
export async function main(stopSignal: AbortSignal): Promise<number> {
  const { dataDir } = demoSettings(process.env)
  const platform = await findPlatform(dataDir)
  if (platform === undefined) {
    console.error(
      `No platform is running on ${dataDir}. Run "npm start" in another terminal, wait until it says that it is ready, and try again.`,
    )
    return 1
  }
  const { baseUrl, orgId, serviceAccount } = platform
  const { authToken, credId, privateKey } = serviceAccount
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  const sdk = new DfnsApiClient({ baseUrl, orgId, authToken, signer })
  const stage = openStage((line) => console.log(line))
  try {
    await tell({ platform, sdk, stage, stopSignal })
    return 0
  } catch (error) {
    if (stopSignal.aborted) return 130
    console.error(`\nThe demo stopped: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  }
}

async function findPlatform(dataDir: string): Promise<Platform | undefined> {
  const file = join(dataDir, 'bootstrap.json')
  if (!existsSync(file)) return undefined
  const platform: Platform = JSON.parse(readFileSync(file, 'utf8'))
  try {
    await fetch(`${platform.baseUrl}/health`, { signal: AbortSignal.timeout(5_000) })
    return platform
  } catch (error) {
    // The file outlives the platform that wrote it.
    if (error instanceof TypeError || error instanceof DOMException) return undefined
    throw error
  }
}

async function tell(play: Play): Promise<void> {
  const { stage, platform } = play
  stage.title('Quorate', 'a key that never exists in one place pays on Ethereum')
  const wallet = await beBorn(play)
  await proveAddress(play, wallet)
  await payIn(play, wallet)
  stage.scene('The wallet pays')
  await pay(play, wallet)
  const [, frozen] = platform.processes.signers
  if (frozen === undefined) throw new Error('There is no second signer to freeze.')
  stage.scene(`${frozen.id} stops answering, and the wallet pays again`)
  await whileFrozen(play, frozen, () => pay(play, wallet))
  await tellHistory(play, wallet)
  stage.end()
}

async function beBorn({ sdk, stage, platform }: Play) {
  stage.scene('A wallet is born')
  const { ms, value } = await timed(() =>
    sdk.wallets.createWallet({ body: { network: 'EthereumSepolia', name: 'demo' } }),
  )
  const { id, address } = value
  if (address === undefined) throw new Error('The wallet has no address.')
  const count = platform.processes.signers.length
  stage.fact('wallet', id)
  stage.fact('address', address)
  stage.good(`${count} signers each drew a share of its key; nobody has the key`, ms)
  return { ...value, id, address: address as Address }
}

type Born = Awaited<ReturnType<typeof beBorn>>

async function proveAddress({ stage, platform }: Play, wallet: Born): Promise<void> {
  const { baseUrl, genesis, serviceAccount, processes } = platform
  stage.scene('Its address is proved, and the server is not asked to be believed')
  const client = quorateClient({ baseUrl, genesis, authToken: serviceAccount.authToken })
  const { ms, value } = await timed(() => client.verifyAddress(wallet))
  stage.fact('genesis', genesis)
  stage.fact('signed by', processes.signers.map(({ id }) => id).join(', '))
  stage.good(`${value.address ?? 'the key'} is the address of that key`, ms)
}

async function payIn({ stage, platform }: Play, { address }: Wallet): Promise<void> {
  stage.scene('Somebody pays in')
  const { rpcUrl, fundedPrivateKey } = platform.devnet.EthereumSepolia
  const options = { chain: sepolia, transport: http(rpcUrl), pollingInterval: pollMs }
  const account = privateKeyToAccount(fundedPrivateKey)
  const { ms, value } = await timed(async () => {
    const hash = await createWalletClient({ ...options, account }).sendTransaction({
      to: address,
      value: deposit,
    })
    return createPublicClient(options).waitForTransactionReceipt({ hash })
  })
  stage.good(`${formatEther(deposit)} ETH arrived in block ${value.blockNumber}`, ms)
}

async function pay(play: Play, { id: walletId }: Wallet): Promise<void> {
  const { sdk, stage, stopSignal } = play
  stage.fact('pays', `${formatEther(payment)} ETH to ${payee}`)
  const start = performance.now()
  const body = { kind: 'Native', to: payee, amount: String(payment) } as const
  let transfer = await sdk.wallets.transferAsset({ walletId, body })
  const seen = [transfer.status]
  while (transfer.status !== 'Confirmed') {
    if (transfer.status === 'Failed' || transfer.status === 'Rejected')
      throw new Error(`The transfer ended as ${transfer.status}: ${transfer.reason}`)
    if (performance.now() - start > confirmedMsMax)
      throw new Error(`The transfer is still ${transfer.status} after ${confirmedMsMax} ms.`)
    await sleep(pollMs, undefined, { signal: stopSignal })
    transfer = await sdk.wallets.getTransfer({ walletId, transferId: transfer.id })
    if (seen.at(-1) !== transfer.status) seen.push(transfer.status)
  }
  stage.fact('transaction', transfer.txHash ?? '')
  stage.good(seen.join(' → '), performance.now() - start)
}

/** Whatever happens meanwhile, and also on Ctrl-C, the signer goes on afterwards. */
async function whileFrozen(
  { stage }: Play,
  { id, pid }: Process,
  act: () => Promise<void>,
): Promise<void> {
  const resume = () => void process.kill(pid, 'SIGCONT')
  process.once('exit', resume)
  process.kill(pid, 'SIGSTOP')
  stage.bad(`${id}, process ${pid}, is frozen in the middle of its work`)
  try {
    await act()
  } finally {
    resume()
    process.off('exit', resume)
  }
  stage.good('the others went on without it; now it is back and catches up')
}

async function tellHistory({ sdk, stage }: Play, { id: walletId }: Wallet): Promise<void> {
  stage.scene('What the chain says')
  const items = await settledHistory(sdk, walletId)
  const { assets } = await sdk.wallets.getWalletAssets({ walletId })
  const [native] = assets
  stage.table(
    ['block', 'way', 'ETH', 'fee', 'transaction'],
    items.map((item) => [
      String(item.blockNumber),
      item.direction === 'In' ? 'in' : 'out',
      'value' in item && item.value !== undefined ? formatEther(BigInt(item.value)) : '',
      'fee' in item && item.fee !== undefined ? formatEther(BigInt(item.fee)) : '',
      item.txHash,
    ]),
  )
  stage.fact('left', `${formatEther(BigInt(native?.balance ?? 0))} ETH`)
}

/** A payment in, and two out: what is confirmed is in the history a moment later. */
const movements = 3
const historyLooksMax = 20

async function settledHistory(sdk: Play['sdk'], walletId: string) {
  for (let looks = 1; ; looks++) {
    const { items } = await sdk.wallets.getWalletHistory({ walletId })
    if (items.length >= movements || looks >= historyLooksMax) return items
    await sleep(250)
  }
}

async function timed<T>(
  act: () => Promise<T>,
): Promise<{ readonly ms: number; readonly value: T }> {
  const start = performance.now()
  const value = await act()
  return { ms: performance.now() - start, value }
}
