import assert from 'node:assert/strict'
import { matchOperation } from '@quorate/authority/operations'
import { signedRequest } from '@quorate/signer/testing/requests'
import { decodePreimage, requestHash } from '@quorate/authority/request'
import { toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { assertionsCodec } from '@quorate/authority/credential'
import { randomBytes } from 'node:crypto'
import { moneyRoutes, openMoney } from '../../money.ts'
import type { Outgoing } from '../tables.ts'
import { moneyDeps, openEdge } from './edge.ts'
import type { Treasury } from './treasury.ts'

export type Way = 'abort' | 'cancel' | 'speed-up'
export type Answer = { readonly status: number; readonly body: Body }
/** Whatever an answer may have. */
export type Body = {
  readonly id: string
  readonly status: string
  readonly message: string
  readonly reason?: string
  readonly txHash?: string
  readonly requestBody: {
    readonly kind: string
    readonly txHash?: string
    readonly signedTx: string
  }
}

/** The routes of money, and a client that has been asked to sign what stands in their way. */
export function openLane(treasury: Treasury) {
  const { caller, deps, lines } = treasury
  const money = openMoney({ database: deps.database, chains: deps.chains, log: deps.coordinator })
  const app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
  const laterLife = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))

  /** The bound on fees is what the server would quote, unless it is given. */
  async function ask(row: Outgoing, way: Way, given: { maxFee?: bigint } = {}): Promise<Answer> {
    return (await sign(row, way, given)).here()
  }

  /** To be asked as often as one likes, with one signature. */
  async function sign(row: Outgoing, way: Way, given: { maxFee?: bigint } = {}) {
    const method = way === 'abort' ? 'PUT' : 'POST'
    const path = `/wallets/${row.wallet_id}/${row.kind}s/${row.name}/${way}`
    const match = matchOperation(method, path) ?? assert.fail(path)
    const maxFee = given.maxFee ?? (await money.quoteMaxFee(caller, match, {}).catch(() => 1n))
    const { path: url, payload, headers } = await signed(treasury, row, { method, path, maxFee })
    const askAt = async (edge: typeof app): Promise<Answer> => {
      const answer = await edge.inject({ method, url, headers, payload })
      return { status: answer.statusCode, body: answer.json<Body>() }
    }
    return { here: () => askAt(app), inLaterLife: () => askAt(laterLife) }
  }
  const close = async () => {
    await app.close()
    await laterLife.close()
  }
  return { ask, sign, lines, close }
}

/** As if the client had gone through `/auth/action`. */
async function signed(
  { bot, company, caller, database }: Treasury,
  row: Outgoing,
  asked: { readonly method: string; readonly path: string; readonly maxFee: bigint | undefined },
) {
  const { method, path, maxFee } = asked
  const walletId = company.ids.get(row.wallet_id) ?? assert.fail()
  const subjects = [
    { role: 'walletId', id: walletId },
    { role: `${row.kind}Id`, id: row.id },
  ]
  const ids = new Map([...company.ids, [row.name, row.id]])
  const evidence = signedRequest(bot, {
    ...{ path, body: {}, ids, now: Date.now(), change: { method, subjects, maxFee } },
  })
  const { preimage, payload, salt, assertions } = evidence
  const userAction = randomBytes(16).toString('hex')
  const [now, later] = [Date.now(), Date.now() + 60_000]
  const { organization, user, token } = caller
  await database
    .insertInto('challenges')
    .values({
      ...{ organization, request: requestHash(preimage), user, token: token?.id ?? null },
      ...{ identifier: new Uint8Array(randomBytes(32)), preimage, payload, salt },
      ...{ issued_at: now, expires_at: later, action_expires_at: later, used_at: null },
      assertion: encode(assertionsCodec, assertions),
      action: sha256(toUtf8(userAction)),
    })
    .execute()
  assert.equal(decodePreimage(preimage).path, path)
  const headers = { 'content-type': 'application/json', 'x-dfns-useraction': userAction }
  return { path, payload, headers }
}
