import { toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { requestHash } from '@quorate/authority/request'
import type { Scheme } from '@quorate/authority/key-certificate'
import type { Evidence } from '@quorate/authority/step'
import {
  genesisRequest,
  makeCredential,
  type Person,
  signedRequest,
} from '@quorate/signer/testing/requests'
import type { Coordinator } from '../coordinator.ts'

/** An organization whose members sign their requests with real keys. */
export type Company = {
  readonly organization: Uint8Array
  readonly administrator: Person
  readonly ids: Map<string, Uint8Array>
}

export async function found(coordinator: Coordinator, manifestHash: Uint8Array): Promise<Company> {
  const { evidence, administrator } = genesisRequest(manifestHash, Date.now())
  const { organization } = administrator
  const { ids } = await coordinator.settle({ organization, kind: 'genesis', evidence })
  const known = new Map<string, Uint8Array>()
  if (ids.permission) known.set(nameOf('permission', ids.permission), ids.permission)
  return { organization, administrator, ids: known }
}

export function ask(
  { ids }: Company,
  person: Person,
  { path, body, now = Date.now() }: { readonly path: string; body: object; now?: number },
): Evidence {
  return signedRequest(person, { path, body, now, ids })
}

/** Signed by the administrator: a service account that may do everything. */
export function accountAsk(company: Company, now?: number): Evidence {
  return accountFor(company, makeCredential(), now)
}

function accountFor(company: Company, { pem }: Person['credential'], now?: number): Evidence {
  const [permissionId] = company.ids.keys()
  const body = { name: 'bot', publicKey: pem, permissionId }
  const path = '/auth/service-accounts'
  return ask(company, company.administrator, { path, body, ...(now ? { now } : {}) })
}

export async function hire(coordinator: Coordinator, company: Company): Promise<Person> {
  const credential = makeCredential()
  const evidence = accountFor(company, credential)
  const { organization } = company
  const { ids } = await coordinator.settle({ organization, kind: 'serviceAccount', evidence })
  if (!ids.user || !ids.token) throw new Error('no service account came of it')
  const token = { id: ids.token, kind: 'ServiceAccount' as const }
  return { organization, user: ids.user, credential, token }
}

export function keyAsk(company: Company, person: Person, scheme: Scheme): Evidence {
  const curve = scheme === 'EdDSA' ? 'ed25519' : 'secp256k1'
  return ask(company, person, { path: '/keys', body: { scheme, curve } })
}

export type Key = { readonly id: Uint8Array; readonly publicKey: Uint8Array }

export async function makeKey(
  coordinator: Coordinator,
  company: Company,
  evidence: Evidence,
): Promise<Key> {
  const { organization } = company
  const { certificate, statement } = await coordinator.createKey({ organization, evidence })
  await coordinator.settle({
    organization,
    kind: 'key',
    evidence: { ...evidence, facts: certificate },
  })
  const id = idOf(requestHash(evidence.preimage), 'key')
  company.ids.set(nameOf('key', id), id)
  return { id, publicKey: statement.publicKey }
}

export function messageAsk(
  company: Company,
  person: Person,
  key: Uint8Array,
  message: Uint8Array,
): Evidence {
  return rawAsk(company, person, key, { kind: 'Message', message: `0x${toHex(message)}` })
}

export function hashAsk(
  company: Company,
  person: Person,
  key: Uint8Array,
  hash: Uint8Array,
): Evidence {
  return rawAsk(company, person, key, { kind: 'Hash', hash: `0x${toHex(hash)}` })
}

/** For the output without scripts. */
export function taprootAsk(
  company: Company,
  person: Person,
  key: Uint8Array,
  hash: Uint8Array,
): Evidence {
  const body = { kind: 'Hash', hash: `0x${toHex(hash)}`, taprootMerkleRoot: '' }
  return rawAsk(company, person, key, body)
}

/** The same of every time: what is derived does not depend on who derives it. */
export function derivationAsk(company: Company, person: Person, key: Uint8Array): Evidence {
  const body = { domain: '0x01', seed: '0x02' }
  return ask(company, person, { path: `/keys/${nameOf('key', key)}/derive`, body })
}

function rawAsk(company: Company, person: Person, key: Uint8Array, body: object): Evidence {
  return ask(company, person, { path: `/keys/${nameOf('key', key)}/signatures`, body })
}
