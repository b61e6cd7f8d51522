import { getLatestUnacceptedAgreement, recordAgreementAcceptance } from './agreements.ts'
import * as applications from './applications.ts'
import * as auth from './auth.ts'
import { listOrgBalances, listOrgBalanceTotals } from './balances.ts'
import * as credentials from './credentials.ts'
import type { Endpoint } from './endpoint.ts'
import * as feeSponsors from './fee-sponsors.ts'
import * as federation from './federation.ts'
import { finishGenesis, startGenesis } from './genesis.ts'
import * as approvals from './approvals.ts'
import * as breakGlass from './break-glass.ts'
import * as freezes from './freezes.ts'
import * as health from './health.ts'
import {
  createKey,
  delegateKey,
  deleteKey,
  deriveKey,
  getKey,
  listKeys,
  updateKey,
} from './keys.ts'
import { exportJournal, exportLog } from './log.ts'
import * as networks from './networks.ts'
import * as pats from './pats.ts'
import * as permissions from './permissions.ts'
import * as registration from './registration.ts'
import * as policies from './policies.ts'
import * as recovery from './recovery.ts'
import * as serviceAccounts from './service-accounts.ts'
import * as settings from './settings.ts'
import * as signatures from './signatures.ts'
import * as transactions from './transactions.ts'
import {
  abortTransfer,
  getTransfer,
  listOrgTransfers,
  listTransfers,
  transferAsset,
} from './transfers.ts'
import { getTrust, getWalletProof } from './trust.ts'
import { getUsage } from './usage.ts'
import * as users from './users.ts'
import * as wallets from './wallets.ts'
import * as webhooks from './webhooks.ts'

/** Everything the platform promises over HTTP. */
export const endpoints: readonly Endpoint[] = [
  ...Object.values(auth),
  ...Object.values(applications),
  ...Object.values(federation),
  ...Object.values(credentials),
  ...Object.values(users),
  ...Object.values(registration),
  ...Object.values(recovery),
  ...Object.values(serviceAccounts),
  ...Object.values(pats),
  ...Object.values(permissions),
  createKey,
  listKeys,
  getKey,
  updateKey,
  deleteKey,
  delegateKey,
  deriveKey,
  ...Object.values(signatures),
  ...Object.values(wallets),
  ...Object.values(networks),
  transferAsset,
  listTransfers,
  listOrgBalances,
  listOrgBalanceTotals,
  listOrgTransfers,
  getTransfer,
  abortTransfer,
  ...Object.values(transactions),
  startGenesis,
  finishGenesis,
  getTrust,
  getUsage,
  exportLog,
  exportJournal,
  getWalletProof,
  getLatestUnacceptedAgreement,
  recordAgreementAcceptance,
  ...Object.values(settings),
  ...Object.values(freezes),
  ...Object.values(breakGlass),
  ...Object.values(policies),
  ...Object.values(approvals),
  ...Object.values(feeSponsors),
  ...Object.values(webhooks),
  ...Object.values(health),
]
