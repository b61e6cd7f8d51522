import { after, before, describe } from 'node:test'
import { killedHolds } from './faults/held.ts'
import { cancelledRecovery, laidStatements } from './faults/mailbox.ts'
import { killedRegistrations } from './faults/registration.ts'
import { restarts } from './faults/restart.ts'
import { killedServers } from './faults/server.ts'
import { lostSigners, missingSigners } from './faults/signers.ts'
import { killedTellers } from './faults/webhooks.ts'
import { makePlatform } from './platform.ts'
import { actions, challenges } from './refusals/actions.ts'
import { bodies } from './refusals/bodies.ts'
import { callers } from './refusals/callers.ts'
import { foreigners } from './refusals/foreign.ts'
import { checkedClients } from './sdk/checked.ts'
import { customers } from './sdk/customers.ts'
import {
  derivations,
  refusedDerivations,
  schnorrSignatures,
  untweakedSignatures,
} from './sdk/curves.ts'
import { delegatedSigning } from './sdk/delegation.ts'
import { erasures } from './sdk/erasure.ts'
import { feeSponsors, sponsoredPayments } from './sdk/fee-sponsors.ts'
import { history } from './sdk/history.ts'
import { keptSignatures, keys, keySignatures } from './sdk/keys.ts'
import { starkKeys } from './sdk/stark.ts'
import { employees } from './sdk/people.ts'
import { registrations } from './sdk/registration.ts'
import { recoveries } from './sdk/recovery.ts'
import { ownFacts } from './sdk/facts.ts'
import { heldPayments, heldSignatures } from './sdk/held.ts'
import { heldChanges, policies } from './sdk/policies.ts'
import { rulers } from './sdk/rulers.ts'
import { serviceAccounts } from './sdk/service-accounts.ts'
import { derivedKeys, otherDerivedKeys } from './sdk/derived-keys.ts'
import { documents } from './sdk/documents.ts'
import { accounts } from './sdk/log.ts'
import { otherTransactions } from './sdk/transactions.ts'
import { lanes } from './sdk/lanes.ts'
import { movedTokens, movedUnits, refusedTokens } from './sdk/tokens-moved.ts'
import { networks } from './sdk/networks.ts'
import { openOwnNetwork, ownNetwork } from './sdk/own-network.ts'
import { accountTokens, personalTokens } from './sdk/tokens.ts'
import { firstStart } from './sdk/start.ts'
import { broadcasts, moreTransfers, transfers } from './sdk/transfers.ts'
import { webhooks } from './sdk/webhooks.ts'
import { transactionSignatures, walletSignatures } from './sdk/wallet-signatures.ts'
import { ethereumWallets, keyWallets, provenAddresses } from './sdk/wallets.ts'

const platform = await makePlatform()
const own = openOwnNetwork(platform)

/**
 * One platform for everything, since a start costs more than most of it. The order is that of a
 * life: what it promises, what it refuses, what it survives, and its end.
 */
describe('a platform', () => {
  before(async () => {
    await own.start()
    await platform.start()
  })
  after(async () => {
    await platform.remove()
    await own.stop()
  })

  describe('promises, through the official SDK', () => {
    firstStart(platform)
    serviceAccounts(platform)
    personalTokens(platform)
    accountTokens(platform)
    keys(platform)
    keySignatures(platform)
    starkKeys(platform)
    keptSignatures(platform)
    schnorrSignatures(platform)
    untweakedSignatures(platform)
    derivations(platform)
    refusedDerivations(platform)
    derivedKeys(platform)
    otherDerivedKeys(platform)
    keyWallets(platform)
    ethereumWallets(platform)
    provenAddresses(platform)
    walletSignatures(platform)
    transactionSignatures(platform)
    transfers(platform)
    feeSponsors(platform)
    lanes(platform)
    webhooks(platform)
    // Each with wallets of its own. They wait for blocks, which come to all at once.
    describe('side by side', { concurrency: 3 }, () => {
      sponsoredPayments(platform)
      moreTransfers(platform)
      broadcasts(platform)
      otherTransactions(platform)
      movedTokens(platform)
      movedUnits(platform)
      refusedTokens(platform)
      history(platform)
    })
    networks(platform)
    delegatedSigning(async () => {
      const { baseUrl, orgId } = platform.bootstrap()
      const admin = await platform.sdk('administrator')
      return { baseUrl, orgId, admin, backend: await platform.sdk('serviceAccount') }
    })
    customers(platform)
    registrations(platform)
    recoveries(platform)
    erasures(platform)
    employees(platform)
    rulers(platform)
    policies(platform)
    heldChanges(platform)
    heldPayments(platform)
    heldSignatures(platform)
    ownFacts(platform)
    ownNetwork(platform, own)
    checkedClients(platform)
    documents(platform)
    accounts(platform)
  })

  // What has expired needs a clock that can be moved: `server/auth`, `signer/authorization.test.ts`.
  describe('refuses', () => {
    callers(platform)
    actions(platform)
    challenges(platform)
    bodies(platform)
    foreigners(platform)
  })

  describe('survives', () => {
    // What only waits waits while others are run.
    const endOfRecovery = cancelledRecovery(platform)
    lostSigners(platform)
    missingSigners(platform)
    killedServers(platform)
    const endOfChange = killedHolds(platform)
    killedTellers(platform)
    laidStatements(platform)
    endOfRecovery()
    endOfChange()
    killedRegistrations(platform)
    restarts(platform, own)
  })
})
