import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { decodePreimage } from '@quorate/authority/request'
import { decodeEvidence } from '@quorate/authority/step'
import { rulesFor } from '@quorate/judge/rules'
import { openSignatureFacts } from '../chain/signature-facts.ts'
import { openForgetful } from '../coordinator/testing/platform.ts'
import { noOpinions } from '../facts/file.ts'
import { openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import {
  makeWallet,
  mine,
  startTreasury,
  stranger,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import { openQuota } from '../usage/quota.ts'
import type { WalletRow } from '../wallets/find.ts'
import { findSignature } from './find.ts'
import type { RequestDeps } from './request.ts'
import { resumeSignatures } from './resume.ts'
import { signatureRoutes } from './routes.ts'

let treasury: Treasury
let deps: RequestDeps
let wallet: WalletRow
/** What their server hears of the signers, which have signed by then. */
let failure: Failure | undefined

before(async () => {
  treasury = await startTreasury()
  const { platform, chains, database } = treasury
  const { coordinator } = platform
  deps = {
    ...{ database, log: coordinator, rules: rulesFor(platform.manifest), opine: noOpinions },
    ...{ now: Date.now, quota: openQuota(undefined), life: new Uint8Array(randomBytes(16)) },
    observeFacts: openSignatureFacts({ database, chains }),
    sign: async (asked) => {
      const signed = await coordinator.sign(asked)
      if (failure !== undefined) throw failure
      return signed
    },
  }
})
after(() => treasury.stop())
beforeEach(async () => {
  wallet = await makeWallet(treasury)
  failure = undefined
})

type Body = { readonly [name in 'id' | 'status' | 'reason' | 'signedData' | 'message']: string }

async function post(server = deps) {
  const transaction = { type: 2, to: stranger, value: '1' }
  const wish = { kind: 'signature', body: { kind: 'Transaction', transaction } } as const
  const { path, payload, headers } = await signedPost(treasury, wallet, wish)
  const edge = openEdge(treasury, signatureRoutes(server))
  const answer = await edge.inject({ method: 'POST', url: path, headers, payload })
  await edge.close()
  return { status: answer.statusCode, body: answer.json<Body>() }
}
/** The newest of the wallet. */
async function newest() {
  const { signature_id: id } = await treasury.database
    .selectFrom('signature_requests')
    .select('signature_id')
    .where('wallet', '=', wallet.id)
    .orderBy('requested_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow()
  return findSignature(treasury.database, treasury.caller, id)
}
/** The signers have agreed, and the server that asked them is gone before it has kept that. */
async function agreedOnUnkept() {
  const { sign } = openForgetful(treasury.platform)
  const answer = await post({ ...deps, sign })
  assert.equal(answer.status, 500)
  const [line, ...lines] = treasury.lines.splice(0)
  assert.match(line ?? '', /^unexpected error .*driver has already been destroyed/)
  assert.deepEqual(lines, [])
  const row = await newest()
  assert.equal(row.status, 'Executing')
  return row
}
/** The signers have agreed, and signed, and the server that asked them has heard of no signature. */
async function agreedOn() {
  failure = new Failure('signing.failed', { reason: 'as the test wants it' })
  assert.equal((await post()).status, 503)
  failure = undefined
  const row = await newest()
  assert.equal(row.status, 'Executing')
  return row
}
async function kindsOf(id: string) {
  const rows = await treasury.database.selectFrom('outbox').selectAll().orderBy('id').execute()
  return rows.flatMap(({ kind, data }) =>
    kind.startsWith('wallet.signature.') && data.includes(id) ? [kind.split('.')[2]] : [],
  )
}
const broadcast = ({ result }: { readonly result: string | null }) =>
  treasury.rpc('eth_sendRawTransaction', [JSON.parse(result ?? '').signedData])
const setBaseFee = async (wei: bigint) => {
  await treasury.rpc('anvil_setNextBlockBaseFeePerGas', [`0x${wei.toString(16)}`])
  await mine(treasury)
}
const nonceOf = ({ address }: WalletRow) =>
  treasury.rpc('eth_getTransactionCount', [address, 'pending'])

describe('a signature that signers have agreed on', () => {
  it('is given as they have agreed, whatever the chain says by then, and leaves no gap', async () => {
    const row = await agreedOn()
    await setBaseFee(10n ** 12n)
    const other = await post()
    assert.equal(other.status, 400, JSON.stringify(other.body))
    assert.equal((await newest()).reason, 'the fee is above the ceiling of the network')
    assert.equal(other.body.message, (await newest()).reason)
    await resumeSignatures(deps, assert.fail)
    const signed = await findSignature(treasury.database, row, row.signature_id)
    assert.equal(signed.status, 'Signed')
    assert.deepEqual(await kindsOf(row.signature_id), ['requested', 'signed'])
    await setBaseFee(7n)
    await broadcast(signed)
    assert.equal(await nonceOf(wallet), '0x1')
    assert.equal((await post()).status, 200)
    await broadcast(await newest())
    assert.equal(await nonceOf(wallet), '0x2')
  })

  it('has not failed either where no server has written down that they have', async () => {
    const row = await agreedOnUnkept()
    await setBaseFee(10n ** 12n)
    const reports: unknown[] = []
    await resumeSignatures(deps, (error) => void reports.push(error))
    const [report, ...more] = reports
    assert.ok(isFailure(report, 'signing.failed') && isFailure(report.cause, 'fee.above_ceiling'))
    assert.equal(more.length, 0)
    await resumeSignatures(deps, assert.fail)
    assert.equal((await newest()).status, 'Signed')
    assert.deepEqual(await kindsOf(row.signature_id), ['requested', 'signed'])
    await setBaseFee(7n)
  })

  it('has not failed by a refusal that comes later, and is asked for again', async () => {
    failure = new Failure('request.refused', { reason: 'as the test wants it' })
    const { status, body } = await post()
    assert.equal(status, 503)
    assert.match(body.message, /the signers have agreed on it, and have not signed it yet/)
    const [line, ...lines] = treasury.lines.splice(0)
    assert.match(line ?? '', /^failed .* since Failure: request\.refused/)
    assert.deepEqual(lines, [])
    const row = await newest()
    assert.equal(row.status, 'Executing')
    failure = undefined
    await resumeSignatures(deps, assert.fail)
    assert.equal((await newest()).status, 'Signed')
    assert.deepEqual(await kindsOf(row.signature_id), ['requested', 'signed'])
  })

  it('has failed once no signer signs anything for it any more', async () => {
    const row = await agreedOn()
    const { executeBefore } = decodePreimage(decodeEvidence(row.evidence).preimage)
    failure = new Failure('request.refused', { reason: 'the request has expired' })
    const reports: unknown[] = []
    const resumeAt = (now: number) =>
      resumeSignatures({ ...deps, now: () => now }, (error) => void reports.push(error))
    await resumeAt(executeBefore + 70_000)
    assert.equal((await newest()).status, 'Executing')
    await resumeAt(executeBefore + 70_001)
    const { status, reason } = await newest()
    assert.deepEqual([status, reason], ['Failed', 'the request has expired'])
    assert.equal(reports.length, 2)
    assert.deepEqual(await kindsOf(row.signature_id), ['requested', 'failed'])
  })
})
