import { after, before, describe } from 'node:test'
import { makePlatform } from './platform.ts'
import { keys, keySignatures } from './sdk/keys.ts'
import { serviceAccounts } from './sdk/service-accounts.ts'
import { firstStart } from './sdk/start.ts'
import { broadcasts, transfers } from './sdk/transfers.ts'
import { walletSignatures } from './sdk/wallet-signatures.ts'
import { ethereumWallets, keyWallets, provenAddresses } from './sdk/wallets.ts'

const platform = await makePlatform()

/** One platform for all, since a start costs more than any of these. */
describe('a platform, through the official SDK', () => {
  before(() => platform.start())
  after(() => platform.remove())

  firstStart(platform)
  serviceAccounts(platform)
  keys(platform)
  keySignatures(platform)
  keyWallets(platform)
  ethereumWallets(platform)
  provenAddresses(platform)
  walletSignatures(platform)
  transfers(platform)
  broadcasts(platform)
})
