import { equalBytes, fromBase64url, fromHex, toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import type { Json } from '@quorate/core/json'
import { matchOperation, readRequestBody, type Match } from '@quorate/authority/operations'
import { openingCodec } from '@quorate/authority/records'
import { approvalId } from '@quorate/authority/reduce/approval'
import { commitTo, decodePreimage, requestHash, type Preimage } from '@quorate/authority/request'
import { readIntent, type Intent, type Moved, type UseOperation } from '@quorate/effects/intent'
import { Misled } from './check-request.ts'
import { memberOf, type Session } from './session.ts'

/** What `GET /v2/policy-approvals/:approvalId` gives besides, so that nobody has to believe the rest. */
export type ShownApproval = {
  readonly id: string
  /** Hex of the canonical opening, whose hash the id is. */
  readonly opening: string
  /** Of the held request: base64url of its pre-image, its text, and hex of its salt. */
  readonly preimage: string
  readonly payload: string
  readonly salt: string
}

/** All of it follows from the id. */
export type Approval = {
  /** In full: what a decision signs. */
  readonly approval: Uint8Array
  readonly initiator: string
  readonly policies: readonly string[]
  readonly expiresAt: number
  readonly request: Pick<Preimage, 'method' | 'path' | 'maxFee' | 'executeBefore'>
  readonly body: Json
  /** The same in words, a line each of printable ASCII. */
  readonly words: readonly string[]
}

export type Decision = { readonly value: 'Approved' | 'Denied'; readonly reason?: string }

/**
 * What is there to be approved, from what was signed for it and from nothing else.
 * @param organization its full id
 * @throws Misled when the server shows another request, or another approval, than the id stands for
 */
export function readApproval(shown: ShownApproval, organization: Uint8Array): Approval {
  const opening = decoded(() => decode(openingCodec, fromHex(shown.opening)))
  const approval = approvalId(opening)
  if (nameOf('approval', approval) !== shown.id) throw new Misled('The approval is another one.')
  const encoded = fromBase64url(shown.preimage)
  if (!equalBytes(requestHash(encoded), opening.request))
    throw new Misled('The approval is for another request.')
  const preimage = decoded(() => decodePreimage(encoded))
  const committed = commitTo(shown.payload, fromHex(shown.salt))
  if (!equalBytes(committed.payload, preimage.payload))
    throw new Misled('The request has another body.')
  const home = preimage.organization
  if (home === undefined || !equalBytes(home, organization))
    throw new Misled('The request is for another organization.')
  const { method, path, maxFee, executeBefore } = preimage
  const initiator = nameOf('user', opening.initiator)
  return {
    ...{ approval, initiator, expiresAt: opening.expiresAt },
    policies: opening.policies.map(({ policy }) => nameOf('policy', policy)),
    request: { method, path, maxFee, executeBefore },
    body: bodyOf(preimage, shown.payload),
    words: wordsOf(preimage, shown.payload).map(visible),
  }
}

/**
 * Asks for the approval, checks all of it, has it looked at, and signs the decision for just that.
 * @param decide is shown what was asked for, and says what is to be signed; nothing signs nothing
 * @throws Misled, and has signed nothing
 */
export async function decideApproval(
  session: Session,
  {
    approvalId: id,
    organization,
  }: { readonly approvalId: string; readonly organization: Uint8Array },
  decide: (approval: Approval) => Promise<Decision | undefined>,
): Promise<unknown> {
  const path = `/v2/policy-approvals/${encodeURIComponent(id)}`
  const shown = shownIn(await session.get(path), id)
  const approval = readApproval(shown, organization)
  const decision = await decide(approval)
  if (decision === undefined) return undefined
  return session.call('POST', `${path}/decisions`, decision, ({ subjects }) => {
    const named = subjects.find(({ role }) => role === 'approvalId')?.id
    if (named === undefined || !equalBytes(named, approval.approval))
      throw new Misled('The challenge is for another approval.')
  })
}

function shownIn(answer: unknown, id: string): ShownApproval {
  return {
    id,
    opening: memberOf(answer, 'opening'),
    preimage: memberOf(answer, 'preimage'),
    payload: memberOf(answer, 'payload'),
    salt: memberOf(answer, 'salt'),
  }
}

const uses: Readonly<Record<string, UseOperation>> = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
  'wallets.generateSignature': 'signature',
  'keys.generateSignature': 'signature',
  'keys.deriveKey': 'derivation',
}

function wordsOf({ method, path, maxFee }: Preimage, payload: string): readonly string[] {
  const match = matchOperation(method, path)
  const operation = match && uses[match.name]
  const fee = maxFee === undefined ? [] : [`fees: at most ${maxFee} of the smallest unit`]
  if (match === undefined || operation === undefined) return [`${method} ${path}`, payload]
  const read = readIntent(operation, payload)
  if (!read.ok) return [`${method} ${path}`, payload, `which nobody can read: ${read.reason}`]
  return [`${operation} from ${sourceOf(match)}`, ...wordsOfIntent(read.intent), ...fee]
}

/** What no operation takes is shown as the text that it is. */
function bodyOf({ method, path }: Preimage, payload: string): Json {
  const match = matchOperation(method, path)
  return match === undefined ? payload : readRequestBody(match, payload)
}

/**
 * Whoever asked has chosen the texts in it. A character that moves the cursor, or turns the order of
 * reading around, would have an approver see another recipient than he signs for.
 */
export function visible(text: string): string {
  return text.replace(
    /[^\x20-\x7e]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function sourceOf({ params }: Match): string {
  const { walletId, keyId } = params
  return walletId === undefined ? `key ${keyId}` : `wallet ${walletId}`
}

function wordsOfIntent(intent: Intent): readonly string[] {
  switch (intent.kind) {
    case 'transfer':
      return [...wordsOfMoved(intent), `to ${intent.to}`, ...wordsOfSponsor(intent)]
    case 'transaction':
      return [...wordsOfBody(intent.transaction), ...wordsOfSponsor(intent)]
    case 'derivation':
      return [
        'derives a secret that whoever asked for it can use',
        `domain 0x${toHex(intent.domain)}, seed 0x${toHex(intent.seed)}`,
      ]
    case 'signature': {
      const { ask } = intent
      if (ask.kind === 'Transaction') return wordsOfBody(ask.transaction)
      if (ask.kind === 'Eip7702')
        return [
          `this account does from now on what the contract ${ask.address} says, whoever asks`,
          `on chain ${ask.chainId}, at nonce ${ask.nonce}`,
        ]
      const rest = ask.kind === 'Hash' ? 'of which nobody can tell what it stands for' : ''
      return [`a signature over a ${ask.kind} ${rest}`.trimEnd(), JSON.stringify(asJson(ask))]
    }
  }
}

function wordsOfMoved(moved: Moved): readonly string[] {
  switch (moved.asset) {
    case 'Native':
      return [`${moved.amount} of the smallest unit, ${moved.asset}`]
    case 'Erc20':
      return [`${moved.amount} of the smallest unit, ${moved.asset} ${moved.contract}`]
    case 'Erc721':
      return [`piece ${moved.tokenId}, ${moved.asset} ${moved.contract}`]
    case 'Erc1155':
      return [`${moved.amount} of ${moved.tokenId}, ${moved.asset} ${moved.contract}`]
  }
}

function wordsOfSponsor({ feeSponsorId }: { readonly feeSponsorId?: string }): readonly string[] {
  return feeSponsorId === undefined ? [] : [`the fees are paid by ${feeSponsorId}`]
}

function wordsOfBody(
  body: Extract<Intent, { kind: 'transaction' }>['transaction'],
): readonly string[] {
  if (body.form === 'operations')
    return body.operations.flatMap((one, i) => [
      `operation ${i + 1} of ${body.operations.length}`,
      `${one.value} of the smallest unit, Native`,
      `to ${one.to}`,
      ...(one.data.length === 0 ? [] : [`with 0x${toHex(one.data)}`]),
    ])
  return body.form === 'object'
    ? ['a transaction', JSON.stringify(body.object)]
    : ['a transaction in bytes', `0x${Buffer.from(body.bytes).toString('hex')}`]
}

function asJson(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      one instanceof Uint8Array ? `0x${Buffer.from(one).toString('hex')}` : one,
    ]),
  )
}

function decoded<T>(decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (isFailure(error, 'bytes.malformed'))
      throw new Misled('What the server shows cannot be read.', { cause: error })
    throw error
  }
}
