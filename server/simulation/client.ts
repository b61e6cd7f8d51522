import { createPublicKey, sign } from 'node:crypto'
import { clientDataFor } from '@quorate/authority/client-data'
import { type Assertion, assertionsCodec, fingerprintOf } from '@quorate/authority/credential'
import { matchOperation, namedIds } from '@quorate/authority/operations'
import {
  challengeOf,
  commitTo,
  encodePreimage,
  type Preimage,
  requestHash,
} from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeFacts, noFacts } from '@quorate/effects/facts'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { keyFrom, type Random } from './random.ts'

const dayMs = 24 * 60 * 60_000
const actionMs = 60 * 60_000

export type Ask = {
  readonly method?: 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body: object
  readonly maxFee?: bigint
  readonly now: number
  readonly executeBefore?: number
}
export type Signed = { readonly raw: RawRequest; readonly request: Uint8Array }

/** An administrator with a key of his own: whatever he asks for he signs, all of it from the seed. */
export class Client {
  private readonly random: Random
  private readonly key
  private readonly spki: Uint8Array
  readonly genesis: WholeEvidence
  readonly organization: Uint8Array
  readonly caller: Caller
  /** Full ids by their names on the wire. */
  readonly ids = new Map<string, Uint8Array>()

  constructor(random: Random, manifest: Uint8Array, now: number) {
    this.random = random
    this.key = keyFrom(random)
    const open = createPublicKey(this.key)
    this.spki = new Uint8Array(open.export({ type: 'spki', format: 'der' }))
    const publicKey = String(open.export({ type: 'spki', format: 'pem' }))
    const payload = { rootQuorum: 1, manifest: toHex(manifest), publicKey }
    const asked = { path: '/orgs', body: payload, now }
    this.genesis = this.signed(asked, { purpose: 'genesis', organization: undefined })
    const request = requestHash(this.genesis.preimage)
    this.organization = idOf(request, 'organization')
    const user = idOf(request, 'user')
    this.caller = {
      ...{ organization: this.organization, orgId: nameOf('organization', this.organization) },
      ...{ user, userId: nameOf('user', user), username: 'administrator' },
      ...{ kind: 'CustomerEmployee', isServiceAccount: false },
    }
  }

  evidence(ask: Ask): WholeEvidence {
    return this.signed(ask, { purpose: 'action', organization: this.organization })
  }

  /** As if he had gone through `/auth/action`: a row that his request spends. */
  async action(database: Database, ask: Ask): Promise<Signed> {
    const { preimage, payload, salt, assertions } = this.evidence(ask)
    const request = requestHash(preimage)
    const userAction = toHex(this.random.bytes(16))
    const { organization, user } = this.caller
    await database
      .insertInto('challenges')
      .values({
        ...{ organization, request, user, token: null, preimage, payload, salt },
        ...{ identifier: this.random.bytes(32), issued_at: ask.now, used_at: null, begun_by: null },
        ...{ expires_at: ask.now + actionMs, action_expires_at: ask.now + actionMs },
        ...{ assertion: encode(assertionsCodec, assertions), action: sha256(toUtf8(userAction)) },
      })
      .execute()
    const { method = 'POST', path } = ask
    return { request, raw: { method, url: path, body: payload, userAction } }
  }

  private signed(
    { method = 'POST', path, body, maxFee, now, executeBefore = now + 7 * dayMs }: Ask,
    as: Pick<Preimage, 'purpose' | 'organization'>,
  ): WholeEvidence {
    const salt = this.random.bytes(32)
    const payload = JSON.stringify(body)
    const match = as.purpose === 'genesis' ? undefined : matchOperation(method, path)
    const preimage = encodePreimage({
      ...as,
      ...commitTo(payload, salt),
      ...{ user: as.purpose === 'genesis' ? undefined : this.caller.user, token: undefined },
      ...{ method, path, verification: 'none', maxFee, nonce: this.random.bytes(32) },
      subjects: match === undefined ? [] : namedIds(match, body).map(this.subject),
      ...{ issuedAt: now, signBefore: now + 10 * 60_000, executeBefore },
    })
    const facts = encodeFacts(noFacts)
    return { preimage, payload, salt, assertions: [this.assertion(preimage)], facts }
  }

  private readonly subject = ({ role, name }: { readonly role: string; readonly name: string }) => {
    const id = this.ids.get(name)
    if (id === undefined) throw new TypeError(`nobody knows ${name}`)
    return { role, id }
  }

  private assertion(preimage: Uint8Array): Assertion {
    const clientData = clientDataFor(challengeOf(preimage))
    const signature = new Uint8Array(sign(null, clientData, this.key))
    const fingerprint = fingerprintOf(this.spki)
    return { fingerprint, clientData, signature, authenticatorData: undefined }
  }
}
