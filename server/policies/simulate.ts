import { simulatePolicy } from '@quorate/api/policies'
import { decodeBody } from '@quorate/authority/body'
import { matchOperation } from '@quorate/authority/operations'
import type { PolicyAsk, PolicyVerdict, Rules } from '@quorate/authority/reduce/judging'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { evaluationOf, rehearsalOf } from '@quorate/authority/reduce/questions'
import { decodePreimage } from '@quorate/authority/request'
import type { ItemKind } from '@quorate/authority/step'
import { keyStream, rootOf, streamCodec } from '@quorate/authority/stream'
import { decode, encode } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import { createdName } from '@quorate/core/id'
import type { Json, JsonObject } from '@quorate/core/json'
import { decodeFacts, encodeFacts, noFacts } from '@quorate/effects/facts'
import { readIntent } from '@quorate/effects/intent'
import { networksOf } from '@quorate/judge/networks'
import { readPolicyOn } from '@quorate/judge/policies'
import { factsNeeded, networkOfSignature } from '@quorate/effects/plan'
import { encodePolicy } from '@quorate/policy/format'
import type { Policy } from '@quorate/policy/policy'
import type { QuoteMaxFee } from '../auth/action.ts'
import type { Caller } from '../auth/caller.ts'
import { makeChallenge } from '../auth/challenge.ts'
import { idNamed, type Log, readRoot } from '../auth/log.ts'
import { anySponsor } from '../chain/ask.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { Views } from '../coordinator/views.ts'
import type { Database } from '../database/database.ts'
import type { Opine } from '../facts/file.ts'
import { withOpinions } from '../facts/with-opinions.ts'
import { routing, type Route } from '../http/route.ts'
import { findKey } from '../keys/find.ts'
import type { ObserveFacts } from '../signatures/execute.ts'
import { findWallet } from '../wallets/find.ts'

const { route } = routing<Caller>()

export type SimulateDeps = {
  readonly database: Database
  readonly rules: Rules
  readonly quoteMaxFee: QuoteMaxFee
  readonly observeFacts: ObserveFacts
  readonly opine: Opine
  readonly now: () => number
}

const dayMs = 24 * 60 * 60_000
const daysDefault = 30
/** Each is judged again from its evidence: so many take some seconds. */
const requestsMax = 200

export function simulateRoutes(deps: SimulateDeps): readonly Route<Caller>[] {
  return [
    route(simulatePolicy, async ({ caller, body }) => {
      const { policy, days = daysDefault, request } = body
      const draft = draftOf(deps, policy as JsonObject)
      const asked = request === undefined ? undefined : await rehearse(deps, caller, draft, request)
      const past = await rehearsePast(deps, caller, draft, deps.now() - days * dayMs)
      return { ...past, ...(asked === undefined ? {} : { request: asked }) }
    }),
  ]
}

type Draft = { readonly policy: Policy; readonly of: PolicyAsk['policies'] }

function draftOf({ rules }: SimulateDeps, body: Json): Draft {
  const read = readPolicyOn(networksOf(rules.manifest), body)
  if (!read.ok) {
    const { unsupported, reason } = read
    throw new Failure(unsupported ? 'request.unsupported' : 'policy.malformed', { reason })
  }
  const { policy } = read
  return { policy, of: [{ id: 'draft', definition: encodePolicy(policy) }] }
}

const words = { allow: 'Allowed', hold: 'Held', deny: 'Blocked' } as const

/** Nothing where no policy is on the key, or on such a request. */
function told(said: PolicyVerdict | undefined) {
  const [evaluation] = said?.evaluations ?? []
  return {
    verdict: words[said?.verdict ?? 'allow'],
    triggered: evaluation?.triggered ?? false,
    reason: evaluation?.reason ?? 'The policy is not about this request.',
  }
}

/** Each request with the records as they were before it: what it says is what it would have said. */
async function rehearsePast(
  { database, rules }: SimulateDeps,
  { organization }: Caller,
  { policy, of }: Draft,
  since: number,
) {
  const ledger = new Ledger(database)
  const places = await placesSince(database, { organization, since, policy })
  const found: ReturnType<typeof rehearsed>[] = []
  for (const place of places.slice(0, requestsMax)) {
    const at = { organization, stream: decode(streamCodec, place.stream) }
    const certified = await ledger.step(at, place.seq)
    const read = certified && decodeBody(certified.body)
    if (read === undefined) continue
    const seqs = { root: read.step.heads[0]?.seq ?? place.seq - 1, own: place.seq - 1 }
    const outcomes = await new Views(ledger).readAt(at, seqs, (reader) =>
      read.step.items.map((_, i) => evaluationOf({ ...read, reader, rules }, i, of)),
    )
    for (const [i, outcome] of outcomes.entries()) found.push(rehearsed(read, i, outcome))
  }
  const asked = found.flatMap((one) => one ?? [])
  const count = (verdict: string) => asked.filter((one) => one.verdict === verdict).length
  return {
    since: new Date(since).toISOString(),
    requests: asked.length,
    isCut: places.length > requestsMax,
    unknown: asked.filter(({ isUnknown }) => isUnknown).length,
    ...{ held: count('Held'), blocked: count('Blocked') },
    triggered: asked.filter(({ triggered }) => triggered),
  }
}

/** Uses of keys for what is about them, else changes in the root stream; the newest first. */
async function placesSince(
  database: Database,
  ask: { readonly organization: Uint8Array; readonly since: number; readonly policy: Policy },
) {
  const root = encode(streamCodec, rootOf(ask.organization))
  const isOfKeys = ask.policy.activityKind === 'Wallets:Sign'
  return database
    .selectFrom('steps')
    .select(['stream', 'seq'])
    .where('organization', '=', ask.organization)
    .where('stream', isOfKeys ? '<>' : '=', root)
    .where('time', '>=', ask.since)
    .where('seq', '>', isOfKeys ? -1 : 0)
    .orderBy('time', 'desc')
    .limit(requestsMax + 1)
    .execute()
}

const notRehearsed: ReadonlySet<ItemKind> = new Set([
  ...(['renew', 'sponsorRenewal', 'approval', 'decision'] as const),
])

/** Nothing for what is no first use or change: renewals, approvals, decisions. */
function rehearsed(
  { step, evidence }: ReturnType<typeof decodeBody>,
  index: number,
  outcome: ReturnType<typeof evaluationOf>,
) {
  const [item, beside] = [step.items[index], evidence[index]]
  if (item === undefined || beside === undefined) return undefined
  const { kind } = item.operation
  if (notRehearsed.has(kind)) return undefined
  const isAbout = outcome.ok ? outcome.said !== undefined : kind === 'use' || kind === 'sponsor'
  const { method, path } = decodePreimage(beside.preimage)
  const match = matchOperation(method, path)
  if (!isAbout || match === undefined) return undefined
  const [created] = match.operation.creates
  // What a sponsor pays for is known by the request itself.
  const request = item.cause.kind === 'rule' ? item.cause.request : nameOfCause(item.cause)
  return {
    ...(created === undefined ? {} : { requestId: createdName(request, created) }),
    operation: match.name,
    date: new Date(step.time).toISOString(),
    isUnknown: !outcome.ok,
    ...told(outcome.ok ? outcome.said : undefined),
  }
}

type Request = {
  readonly walletId?: string | undefined
  readonly keyId?: string | undefined
  readonly kind: 'Transfer' | 'Transaction' | 'Signature'
  readonly body: Readonly<Record<string, unknown>>
}
const paths = { Transfer: 'transfers', Transaction: 'transactions', Signature: 'signatures' }
const intents = {
  Transfer: 'transfer',
  Transaction: 'transaction',
  Signature: 'signature',
} as const

/** One that nobody has signed: built, and looked at, as the signers would if somebody had. */
async function rehearse(deps: SimulateDeps, caller: Caller, { of }: Draft, request: Request) {
  const { database, rules, now } = deps
  const { organization, user } = caller
  const { path, subject, key } = await whatSigns(database, caller, request)
  const payload = JSON.stringify(request.body)
  const match = matchOperation('POST', path)
  if (match === undefined) throw new TypeError(`nothing is asked at ${path}`)
  const maxFee = await deps.quoteMaxFee(caller, match, JSON.parse(payload))
  const views = new Views(new Ledger(database))
  await views.refresh({ organization, stream: rootOf(organization) })
  const subjects = [subject, ...(await sponsorIn(views, organization, request))]
  const { preimage, salt } = makeChallenge(
    { purpose: 'action', organization, user, method: 'POST', path, subjects, maxFee },
    ...([payload, now()] as const),
  )
  const facts = await factsFor(deps, { organization, key, payload, maxFee, request })
  const evidence = { preimage, payload, salt, assertions: [], facts }
  const stream = keyStream(key.id)
  const ask = { organization, stream, time: now(), evidence }
  await views.refresh({ organization, stream })
  const outcome = await views.read({ organization, stream }, ({ reader }) =>
    rehearsalOf(ask, reader, rules, of),
  )
  if (!outcome.ok) throw new Failure('request.refused', { reason: outcome.reason })
  return told(outcome.said)
}

/** Named as in a challenge, where somebody else is to pay. */
async function sponsorIn(views: Views, organization: Uint8Array, { body }: Request) {
  const { feeSponsorId } = body
  if (typeof feeSponsorId !== 'string') return []
  const root = { organization, stream: rootOf(organization) }
  const read: Log['read'] = (_, judge) => views.read(root, ({ reader }) => judge(reader))
  const id = await readRoot({ read }, organization, (records) =>
    idNamed(records, 'feeSponsor', feeSponsorId),
  )
  if (id === undefined) throw new Failure('fee_sponsor.not_found', { feeSponsorId })
  return [{ role: 'feeSponsorId', id }]
}

async function whatSigns(database: Database, caller: Caller, { walletId, keyId, kind }: Request) {
  if ((walletId === undefined) === (keyId === undefined) || (keyId && kind !== 'Signature')) {
    const message = 'names either a wallet, or a key that signs'
    throw new Failure('body.malformed', { issues: [{ path: 'body.request', message }] })
  }
  if (walletId === undefined) {
    const key = await findKey(database, caller, keyId ?? '')
    const network: string | undefined = undefined
    return {
      path: `/keys/${keyId}/signatures`,
      subject: { role: 'keyId', id: key.id },
      key: { ...key, network },
    }
  }
  const wallet = await findWallet(database, caller, walletId)
  return {
    path: `/wallets/${walletId}/${paths[kind]}`,
    subject: { role: 'walletId', id: wallet.id },
    key: { ...wallet, id: wallet.key },
  }
}

type Payer = Awaited<ReturnType<typeof whatSigns>>['key']

async function factsFor(
  { observeFacts, opine, rules }: SimulateDeps,
  asked: {
    readonly organization: Uint8Array
    readonly key: Payer
    readonly payload: string
    readonly maxFee: bigint | undefined
    readonly request: Request
  },
): Promise<Uint8Array> {
  const { key, payload, organization, maxFee, request } = asked
  const read = readIntent(intents[request.kind], payload)
  if (!read.ok) throw new Failure('request.unsupported', { reason: read.reason })
  const { intent } = read
  const { scheme, curve, public_key: publicKey } = key
  const networks = networksOf(rules.manifest)
  const network =
    key.network === undefined
      ? intent.kind === 'signature'
        ? networkOfSignature(networks, intent, { scheme, curve })
        : undefined
      : networks.find(key.network)
  if (network === undefined) return encodeFacts(noFacts)
  // Facts are of what moves on a chain, and nothing does by Schnorr, in whatever way.
  const signing = { network, scheme, curve, publicKey, untweaked: false, intent }
  const ask = { ...signing, organization, key: key.id, payload, maxFee }
  const needed = factsNeeded(network, intent)
  // Whether the account has its code already changes nothing of what leaves.
  if (needed === 'sponsored') {
    const asked = { ...signing, sponsored: anySponsor }
    return encodeFacts(await withOpinions(opine, asked, { family: needed }))
  }
  const observed = needed === 'none' ? noFacts : decodeFacts(await observeFacts(ask))
  return encodeFacts(await withOpinions(opine, signing, observed))
}
