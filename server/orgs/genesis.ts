import { equalBytes, fromBase64url, fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { genesisPayload } from '@quorate/api/genesis'
import { parse } from '@quorate/api/parse'
import { fingerprintOf, verifyKeyAssertion } from '@quorate/authority/credential'
import { readPublicKey } from '@quorate/authority/public-key'
import { organizationTable } from '@quorate/authority/records'
import {
  challengeOf,
  commitTo,
  decodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'
import { makeChallenge, signWithinMs, written } from '../auth/challenge.ts'
import { readRoot, type Log } from '../auth/log.ts'
import { beginSession } from '../auth/sessions.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Database } from '../database/database.ts'
import { applyRoot, expectRoot } from './apply.ts'

export type GenesisDeps = {
  readonly database: Database
  readonly log: Log
  readonly tokens: Tokens
  /** Of the manifest of the cluster that is run here. */
  readonly manifestHash: Uint8Array
  readonly now: () => number
}

/** The words are checked before anybody signs them; what they must say, the rules decide. */
export function startGenesis({ manifestHash, now }: GenesisDeps, payload: string) {
  administratorOf(payload, manifestHash)
  const challenge = makeChallenge({ purpose: 'genesis', path: '/orgs' }, payload, now())
  return written(challenge)
}

type Given = {
  readonly payload: string
  readonly preimage: string
  readonly salt: string
  readonly assertion: { readonly clientData: string; readonly signature: string }
}

/**
 * Founds an organization. Whoever lost the answer asks again with the same words: one signed
 * request makes one organization.
 */
export async function finishGenesis(deps: GenesisDeps, given: Given) {
  const { database, log, manifestHash, now } = deps
  const encoded = fromBase64url(given.preimage)
  const preimage = decodePreimage(encoded)
  const salt = fromHex(given.salt)
  if (!isTimely(preimage, now()) || !isCommitted(preimage, given.payload, salt))
    throw new Failure('challenge.invalid', {})
  const { spki, username } = administratorOf(given.payload, manifestHash)
  const clientData = fromBase64url(given.assertion.clientData)
  const signature = fromBase64url(given.assertion.signature)
  const assertion = {
    ...{ fingerprint: fingerprintOf(spki), clientData, signature },
    authenticatorData: undefined,
  }
  if (!verifyKeyAssertion(spki, challengeOf(encoded), assertion))
    throw new Failure('credential.unsuitable', {})
  const request = requestHash(encoded)
  const organization = idOf(request, 'organization')
  const isFounded = await readRoot(log, organization, (root) => root.find(organizationTable))
  if (isFounded === undefined) {
    const { payload } = given
    const facts = new Uint8Array()
    const evidence = { preimage: encoded, payload, salt, assertions: [assertion], facts }
    await expectRoot(database, organization)
    await log.settle({ organization, kind: 'genesis', evidence })
  }
  await applyRoot(database, organization)
  const orgId = nameOf('organization', organization)
  const user = idOf(request, 'user')
  const userId = nameOf('user', user)
  return {
    orgId,
    genesis: toHex(request),
    userId,
    credId: nameOf('credential', idOf(request, 'credential')),
    token: await beginSession(deps, { organization, orgId, user, userId, username }),
  }
}

function isTimely({ purpose, issuedAt, signBefore }: Preimage, now: number): boolean {
  return purpose === 'genesis' && now <= signBefore && signBefore - issuedAt <= signWithinMs
}

function isCommitted(preimage: Preimage, payload: string, salt: Uint8Array): boolean {
  return equalBytes(commitTo(payload, salt).payload, preimage.payload)
}

function administratorOf(payload: string, manifestHash: Uint8Array) {
  const { username, publicKey, manifest } = parse(genesisPayload, parseJson(payload), 'payload')
  const spki = readPublicKey(publicKey)
  if (spki === undefined) throw invalid('payload.publicKey', 'not a key that may sign here')
  if (manifest !== toHex(manifestHash))
    throw invalid('payload.manifest', 'not that of this cluster')
  return { username, spki }
}

function invalid(path: string, message: string): Failure {
  return new Failure('body.malformed', { issues: [{ path, message }] })
}
