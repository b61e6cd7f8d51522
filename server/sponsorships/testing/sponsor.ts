import assert from 'node:assert/strict'
import { accountAddress, deployment } from '@quorate/chains/evm/account/account'
import { createdName, idOf } from '@quorate/core/id'
import { toHex } from '@quorate/core/bytes'
import { requestHash } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { deployOnce } from '@quorate/devnet/deploy'
import { signedRequest } from '@quorate/signer/testing/requests'
import { applyRoot } from '../../orgs/apply.ts'
import { isAtRest, type State } from '../../transfers/lifecycle.ts'
import {
  fund,
  makeWallet,
  mine,
  reread,
  step,
  type Treasury,
} from '../../transfers/testing/treasury.ts'
import type { Outgoing } from '../../transfers/tables.ts'
import type { WalletRow } from '../../wallets/find.ts'
import { sponsorshipsOf } from '../find.ts'

export type TestSponsor = { readonly id: Uint8Array; readonly name: string; wallet: WalletRow }

/** As `npm start` has it. Blocks are made by hand elsewhere; not while this waits for one. */
export async function deployAccount({ rpc, node }: Treasury): Promise<void> {
  const { to, data } = deployment()
  await rpc('evm_setAutomine', [true])
  await deployOnce(node.rpcUrl, { address: accountAddress, to, data: `0x${toHex(data)}` })
  await rpc('evm_setAutomine', [false])
}

/** Of a wallet of its own, funded unless told otherwise. */
export async function makeSponsor(
  treasury: Treasury,
  { funds, on, ...more }: { readonly funds?: bigint; readonly on?: string; limits?: object } = {},
): Promise<TestSponsor> {
  const wallet = await makeWallet(treasury, funds, on)
  const body = { walletId: wallet.wallet_id, ...more }
  const evidence = await settle(treasury, { kind: 'feeSponsor', path: '/fee-sponsors', body })
  const request = requestHash(evidence.preimage)
  const [id, name] = [idOf(request, 'feeSponsor'), createdName(request, 'feeSponsor')]
  treasury.company.ids.set(name, id)
  return { id, name, wallet }
}

type SponsorChange = {
  readonly method?: 'PUT' | 'DELETE'
  readonly end?: string
  readonly body?: object
}

/** Another state or other limits of a sponsor. */
export async function changeSponsor(
  treasury: Treasury,
  { id, name }: TestSponsor,
  { end = '', body = {}, method = 'PUT' }: SponsorChange,
): Promise<void> {
  const change = { method, subjects: [{ role: 'feeSponsorId', id }] } as const
  const path = `/fee-sponsors/${name}${end}`
  await settle(treasury, { kind: 'feeSponsorUpdate', path, body, change })
}

type Change = {
  readonly kind: 'feeSponsor' | 'feeSponsorUpdate'
  readonly path: string
  readonly body: object
  readonly change?: NonNullable<Parameters<typeof signedRequest>[1]['change']>
}

async function settle(
  { bot, company, platform, database }: Treasury,
  { kind, ...wish }: Change,
): Promise<WholeEvidence> {
  const { organization } = company
  const evidence = signedRequest(bot, { ...wish, ids: company.ids, now: Date.now() })
  await platform.coordinator.settle({ organization, kind, evidence })
  await applyRoot(database, organization)
  return evidence
}

export async function empty(treasury: Treasury, { wallet }: TestSponsor): Promise<void> {
  await fund(treasury.rpc, wallet, 0n)
}

/** What is sent for it, once it is signed: the first of it. */
export async function paidFor(treasury: Treasury, row: Outgoing): Promise<Outgoing | undefined> {
  return (await sponsorshipsOf(treasury.database, row))[0]
}

/** As if so much more time had gone by for the server, and for nobody else. */
export function later(treasury: Treasury, ms: number): Treasury {
  return { ...treasury, deps: { ...treasury.deps, now: () => Date.now() + ms } }
}

/** Of one block; empty ones after it have ever less. A usual offer is good for twice as much. */
export async function setBaseFee(treasury: Treasury, gwei: bigint): Promise<void> {
  await treasury.rpc('anvil_setNextBlockBaseFeePerGas', [`0x${(gwei * 10n ** 9n).toString(16)}`])
  await mine(treasury)
}

/** As many as it takes a payment to be settled, with room. */
const stepsMax = 40

/** Steps of both rows, and blocks, until the one that was asked for is in one of these states. */
export async function carry(
  treasury: Treasury,
  row: Outgoing,
  ...states: readonly State[]
): Promise<Outgoing> {
  for (let i = 0; i < stepsMax; i++) {
    const found = await reread(treasury, row)
    if (states.includes(found.state)) return found
    const bids = await sponsorshipsOf(treasury.database, row)
    for (const bid of bids) if (!isAtRest(bid.state)) await step(treasury, bid)
    await step(treasury, await reread(treasury, row))
    const isSent = bids.some(({ state }) => state === 'broadcasted' || state === 'included')
    if (isSent) await mine(treasury)
  }
  const found = await reread(treasury, row)
  const paid = await paidFor(treasury, row)
  return assert.fail(
    `${found.state} (${found.reason ?? found.waiting}), ${paid?.state} (${paid?.reason ?? paid?.waiting})`,
  )
}

/** Why what is sent for it has not been sent, once that has been tried: as the asked row says it. */
export async function waitingOf(treasury: Treasury, row: Outgoing): Promise<string> {
  for (let tries = 0, why = null; why === null && tries < 4; tries++) {
    const sent = await paidFor(treasury, row)
    assert.ok(sent)
    await step(treasury, sent)
    why = (await paidFor(treasury, row))?.waiting ?? null
  }
  await step(treasury, await reread(treasury, row))
  const found = await reread(treasury, row)
  assert.equal(found.state, 'signed')
  return found.waiting ?? ''
}
