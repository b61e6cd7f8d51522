import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { rulesFor } from '@quorate/judge/rules'
import { keyStream } from '@quorate/authority/stream'
import { approvalFor } from '../approvals/find.ts'
import { ask } from '../coordinator/testing/company.ts'
import { moneyRoutes, openMoney } from '../money.ts'
import { simulateRoutes } from '../policies/simulate.ts'
import { findOutgoing } from '../transfers/find.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import {
  makeWallet,
  network,
  payment,
  request,
  startTreasury,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'
import { carry, deployAccount, makeSponsor, paidFor, waitingOf } from './testing/sponsor.ts'

let treasury: Treasury
before(async () => {
  treasury = await startTreasury()
  await deployAccount(treasury)
})
after(() => treasury.stop())

async function policyOn(wallet: WalletRow, action: object): Promise<void> {
  const { company, platform } = treasury
  const body = {
    ...{ name: 'all of it', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' }, action },
    filters: { walletId: { in: [wallet.wallet_id] } },
  }
  const evidence = ask(company, company.administrator, { path: '/v2/policies', body })
  const { organization } = company
  await platform.coordinator.settle({ organization, kind: 'policy', evidence })
}

const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }

describe('policies, where a sponsor pays', () => {
  it('hold what the wallet asks for, and it is paid for once it is approved', async () => {
    const { company, platform, database, caller } = treasury
    const sponsor = await makeSponsor(treasury)
    const wallet = await makeWallet(treasury, 1000n)
    await policyOn(wallet, asking)
    const app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    const body = payment({ feeSponsorId: sponsor.name })
    const { path: url, payload, headers } = await signedPost(treasury, wallet, { body })
    const answer = await app.inject({ method: 'POST', url, headers, payload })
    await app.close()
    const { id: name } = answer.json<{ readonly id: string }>()
    const row = await findOutgoing(database, caller, { kind: 'transfer', name })
    assert.deepEqual([row.state, row.facts], ['held', null])
    const approval = await approvalFor(database, row.organization, row.request)
    assert.ok(approval)
    company.ids.set(approval.approval_id, approval.id)
    const path = `/v2/policy-approvals/${approval.approval_id}/decisions`
    const decision = { path, body: { value: 'Approved' } }
    const evidence = ask(company, company.administrator, decision)
    const { organization } = company
    const stream = keyStream(row.key)
    await platform.coordinator.settle({ organization, kind: 'decision', evidence, stream })
    await carry(treasury, row, 'confirmed')
  })

  it('are rehearsed on it as on any other: what leaves counts, and no fee', async () => {
    const { deps, platform } = treasury
    const sponsor = await makeSponsor(treasury)
    const wallet = await makeWallet(treasury, 1000n)
    const log = deps.coordinator
    const rules = rulesFor(platform.manifest)
    const app = openEdge(
      treasury,
      simulateRoutes({ ...deps, ...openMoney({ ...deps, log }), rules }),
    )
    const verdictOf = async (limit: string) => {
      const configuration = { asset: `${network}/Native`, limit }
      const rule = { kind: 'TransactionAssetLimit', configuration }
      const body = payment({ feeSponsorId: sponsor.name })
      const answer = await app.inject({
        ...({ method: 'POST', url: '/v2/policies/simulate' } as const),
        payload: {
          policy: { name: 'x', activityKind: 'Wallets:Sign', rule, action: { kind: 'Block' } },
          request: { walletId: wallet.wallet_id, kind: 'Transfer', body },
        },
      })
      assert.equal(answer.statusCode, 200, answer.body)
      return answer.json<{ readonly request: { readonly verdict: string } }>().request.verdict
    }
    assert.deepEqual([await verdictOf('1000'), await verdictOf('999')], ['Allowed', 'Blocked'])
    await app.close()
  })

  it('on the wallet that pays fail what it was to pay for, if they block', async () => {
    const sponsor = await makeSponsor(treasury)
    await policyOn(sponsor.wallet, { kind: 'Block' })
    const wallet = await makeWallet(treasury, 1000n)
    const body = payment({ feeSponsorId: sponsor.name })
    const row = await request(treasury, wallet, { body })
    const failed = await carry(treasury, row, 'lapsed')
    assert.match(failed.reason ?? '', /^the fee sponsor has not paid: blocked by policy: /)
    assert.equal((await paidFor(treasury, row))?.signed, null)
  })

  it('on the wallet that pays keep it waiting, if they want an approval that nobody can give', async () => {
    const sponsor = await makeSponsor(treasury)
    await policyOn(sponsor.wallet, asking)
    const wallet = await makeWallet(treasury, 1000n)
    const body = payment({ feeSponsorId: sponsor.name })
    const row = await carry(treasury, await request(treasury, wallet, { body }), 'signed')
    assert.match(
      await waitingOf(treasury, row),
      /wants an approval, which no sponsorship waits for/,
    )
  })
})
