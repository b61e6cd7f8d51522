import { randomBytes } from 'node:crypto'
import {
  assertionBy,
  makePerson,
  makeRequest,
  type Ask,
  type Person,
} from '@quorate/authority/testing/world'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import type { Passkey } from '@quorate/authority/testing/passkey'
import { readKeyCertificate } from '@quorate/authority/key-certificate'
import {
  credentialTable,
  decodeRecord,
  organizationTable,
  recordKey,
  userTable,
  type Table,
} from '@quorate/authority/records'
import { challengeOf, commitTo, encodePreimage, type Preimage } from '@quorate/authority/request'
import { credentialSetHash, unconfirmedOf } from '@quorate/authority/standing'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import type { WholeEvidence, ItemKind } from '@quorate/authority/step'
import { toHex } from '@quorate/core/bytes'
import { idOf, nameOf, type IdKind } from '@quorate/core/id'
import { encodeFacts, type Facts } from '@quorate/effects/facts'
import { childIn, generate, type Key } from '@quorate/signer/testing/keys'
import { setUpPair } from '@quorate/signer/testing/signing'
import { evmFacts, recipient, usualMaxFee } from '@quorate/signer/testing/uses'
import type { Place } from '@quorate/signer/testing/ledger'
import { World } from '@quorate/signer/testing/world'
import type { Outcome } from './attack.ts'
import { corrupt, drive, forge, type Forging } from './drive.ts'

/** Somebody with whatever he signs by. */
export type Actor = {
  readonly user: Uint8Array
  readonly name: string
  readonly by: Person
  readonly token?: { readonly id: Uint8Array; readonly kind: 'ServiceAccount' | 'Pat' }
}
export type Wish = Omit<Ask, 'organization' | 'user' | 'by' | 'token' | 'time'>
export type Made = { readonly id: Uint8Array; readonly name: string }
export type Wallet = Made & { readonly key: Key }

const none = new Uint8Array()
const minuteMs = 60_000

/**
 * One organization before four real signers, one of which is the attacker's, as is the server: who
 * is in it, what is whose, and the means to ask for anything in anybody's name.
 */
export class Stage {
  readonly world: World
  readonly admin: Actor
  /** What every administrator has. */
  readonly everything: Made
  private readonly certificates = new Map<string, Uint8Array>()
  private nonce = 0n

  constructor(world: World) {
    this.world = world
    const { user, credential } = world.administrator
    const { privateKey: key, pem, spki } = credential
    this.admin = { user, name: nameOf('user', user), by: { key, pem, spki } }
    const permission = idOf(this.found(organizationTable).genesis, 'permission')
    this.everything = { id: permission, name: nameOf('permission', permission) }
  }

  get organization(): Uint8Array {
    return this.world.organization
  }

  /** What this user's client signs: the request is his own, and in order unless `wish` says else. */
  ask({ user, by, token }: Actor, wish: Wish): WholeEvidence {
    const { organization, now: time } = this.world
    const preimage = { ...(token && { token }), ...wish.preimage }
    return makeRequest({ organization, user, by, time, ...wish, preimage })
  }

  /** A challenge that anybody may have asked for, over nothing. */
  challenge(change: Partial<Preimage>, salt: Uint8Array = new Uint8Array(32)): Uint8Array {
    const { organization, now } = this.world
    return encodePreimage({
      ...{ purpose: 'register', organization, user: undefined, token: undefined, method: 'POST' },
      ...{ path: '/auth/registration', ...commitTo('', salt), subjects: [], verification: 'none' },
      ...{ maxFee: undefined, nonce: fresh(), issuedAt: now, signBefore: now + 10 * minuteMs },
      ...{ executeBefore: now + 60 * minuteMs, ...change },
    })
  }

  /** The end of an unsigned way: a body that answers such a challenge. */
  completion(change: Partial<Preimage>, bodyFor: (challenge: string) => object): WholeEvidence {
    const salt = fresh()
    const preimage = this.challenge(change, salt)
    const payload = JSON.stringify(bodyFor(challengeOf(preimage)))
    return { preimage, payload, salt, assertions: [], facts: none }
  }

  /** In force, as an honest server would bring it there. */
  async put(
    kind: ItemKind,
    evidence: WholeEvidence,
    place = this.world.root,
    bid?: number,
  ): Promise<WholeEvidence> {
    await this.world.put(kind, evidence, place.stream, bid)
    return evidence
  }

  /** What the attacker would have in force, before the honest signers. */
  propose(kind: ItemKind, evidence: WholeEvidence, more: Proposing = {}): Promise<Outcome> {
    const { place = this.world.root, key, bid, ...forging } = more
    const drafted = forge(this.world, { place, asked: [{ kind, evidence, bid }], ...forging })
    return drive(this.world, { place, drafted, key })
  }

  /** A use of a wallet or key, to the signature if there is a way. */
  use(evidence: WholeEvidence, of: { readonly key: Key }, more: Proposing = {}): Promise<Outcome> {
    return this.propose('use', evidence, { place: this.placeOf(of), key: of.key, ...more })
  }

  placeOf({ key }: { readonly key: Key }): Place {
    return this.world.keyPlace(key.id)
  }

  found<T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]): T {
    const value = this.world.ledger.reader.read(this.world.root.stream, recordKey(table, ...name))
    if (value === undefined) throw new Error(`there is no ${recordKey(table, ...name)}`)
    return decodeRecord(table, value)
  }

  /** The certificate of a key, to be changed. */
  certificateOf({ key }: { readonly key: Key }): Uint8Array {
    const known = this.certificates.get(toHex(key.id))
    if (known === undefined) throw new Error('there is no such certificate')
    return Uint8Array.from(known)
  }

  credentialId({ user }: Actor, index = 0): Uint8Array {
    const fingerprint = this.found(userTable, user).credentials[index]
    if (fingerprint === undefined) throw new Error('there is no such credential')
    return this.found(credentialTable, user, fingerprint).id
  }

  /** `POST /wallets/{id}/transfers` of one wei. */
  transfer(by: Actor, wallet: Wallet, change: TransferChange = {}): WholeEvidence {
    const { body = {}, nonce = this.nonce++, facts = evmFacts(nonce), ...wish } = change
    return this.ask(by, {
      path: `/wallets/${wallet.name}/transfers`,
      body: { kind: 'Native', to: recipient, amount: '1', ...body },
      ids: { walletId: wallet.id },
      maxFee: usualMaxFee,
      facts: encodeFacts(facts),
      ...wish,
    })
  }

  /** `POST /keys/{id}/signatures` of a message. */
  signature(by: Actor, { key }: { readonly key: Key }, change: Partial<Wish> = {}): WholeEvidence {
    return this.ask(by, {
      path: `/keys/${key.name}/signatures`,
      body: { kind: 'Message', message: `0x${Buffer.from(fresh()).toString('hex')}` },
      ids: { keyId: key.id },
      facts: encodeFacts({ family: 'none' }),
      ...change,
    })
  }

  async createWallet(by: Actor, body: object = {}, ids: Ask['ids'] = {}): Promise<Wallet> {
    const wish = { path: '/wallets', body: { network: 'EthereumSepolia', ...body }, ids }
    const asked = this.ask(by, wish)
    const evidence = { ...asked, facts: await generate(this.world, asked) }
    await this.put('wallet', evidence)
    return { ...made(evidence, 'wallet'), key: keyOf(evidence) }
  }

  async createKey(by: Actor, body: object = {}, ids: Ask['ids'] = {}): Promise<{ key: Key }> {
    const wish = { path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519', ...body }, ids }
    const asked = this.ask(by, wish)
    const evidence = { ...asked, facts: await generate(this.world, asked) }
    await this.put('key', evidence)
    const key = keyOf(evidence)
    this.certificates.set(toHex(key.id), evidence.facts)
    return { key }
  }

  /** `POST /keys` of a child, for which no signer is asked. */
  deriving(by: Actor, { key }: { readonly key: Key }, given: Deriving = {}): WholeEvidence {
    const { path, body = {}, ids = {} } = given
    const { scheme, curve } = key.statement.terms
    const deriveFrom = { keyId: key.name, ...(path !== undefined && { path }) }
    return this.ask(by, {
      path: '/keys',
      body: { scheme, curve, deriveFrom, ...body },
      ids: { 'deriveFrom.keyId': key.id, ...ids },
    })
  }

  async deriveKey(
    by: Actor,
    master: { readonly key: Key },
    given?: Deriving,
  ): Promise<{ key: Key }> {
    const evidence = await this.put('key', this.deriving(by, master, given))
    return { key: childIn(this.world, master.key, made(evidence, 'key')) }
  }

  /** `POST /keys/{id}/derive` */
  derivation(by: Actor, { key }: { readonly key: Key }, change: Partial<Wish> = {}): WholeEvidence {
    return this.ask(by, {
      path: `/keys/${key.name}/derive`,
      body: { domain: '0xcafe', seed: `0x${Buffer.from(fresh()).toString('hex')}` },
      ids: { keyId: key.id },
      facts: encodeFacts({ family: 'none' }),
      ...change,
    })
  }

  async createServiceAccount(permission?: Made, daysValid = 30): Promise<Actor> {
    const by = makePerson()
    const named = permission && { permissionId: permission.name }
    const body = { name: 'api', publicKey: by.pem, daysValid, ...named }
    const ids = permission && { permissionId: permission.id }
    const wish = { path: '/auth/service-accounts', body, ...(ids && { ids }) }
    const asked = await this.put('serviceAccount', this.ask(this.admin, wish))
    const token = { id: made(asked, 'token').id, kind: 'ServiceAccount' } as const
    const { id: user, name } = made(asked, 'user')
    return { user, name, by, token }
  }

  async createPat(owner: Actor, body: object = {}, ids: Ask['ids'] = {}): Promise<Actor> {
    const by = makePerson()
    const wish = { path: '/auth/pats', body: { name: 'pat', publicKey: by.pem, ...body }, ids }
    const asked = await this.put('token', this.ask(owner, wish))
    const { user, name } = owner
    return { user, name, by, token: { id: made(asked, 'token').id, kind: 'Pat' } }
  }

  async createPermission(name: string, operations: readonly string[]): Promise<Made> {
    const wish = { path: '/permissions', body: { name, operations } }
    return made(await this.put('permission', this.ask(this.admin, wish)), 'permission')
  }

  assigning(
    by: Actor,
    permission: Made,
    to: Made,
    preimage: Partial<Preimage> = {},
  ): WholeEvidence {
    return this.ask(by, {
      path: `/permissions/${permission.name}/assignments`,
      body: { identityId: to.name },
      ids: { permissionId: permission.id, identityId: to.id },
      preimage,
    })
  }

  async assign(permission: Made, to: Actor): Promise<void> {
    const identity = { id: to.user, name: to.name }
    await this.put('assignment', this.assigning(this.admin, permission, identity))
  }

  inviting(by: Actor, body: object = {}): WholeEvidence {
    const given = { email: 'new@example.test', kind: 'CustomerEmployee', ...body }
    return this.ask(by, { path: '/auth/users', body: given })
  }

  async invite(body: object = {}): Promise<Made> {
    return made(await this.put('user', this.inviting(this.admin, body)), 'user')
  }

  /** By a service account, as the back end of an app does it. */
  async registerEndUser(by: Actor): Promise<Made> {
    const body = { email: 'end@example.test', kind: 'EndUser' }
    const asked = this.ask(by, { path: '/auth/registration/delegated', body })
    return made(await this.put('user', asked), 'user')
  }

  /** The end of a registration, for which nobody but the bringer of the credentials has signed. */
  registering(
    user: Uint8Array,
    first: Pick<KeyCredential | Passkey, 'create'>,
    more: Registering = {},
  ): WholeEvidence {
    const { recovery, path = '/auth/registration', change = {} } = more
    return this.completion({ user, path, ...change }, (challenge) => ({
      firstFactorCredential: first.create(challenge),
      ...(recovery && { recoveryCredential: recovery.create(challenge) }),
    }))
  }

  confirming(by: Actor, { id, name }: Made, set = this.unconfirmed(id)): WholeEvidence {
    return this.ask(by, {
      ...{ path: `/auth/users/${name}/confirm`, body: {} },
      preimage: {
        subjects: [
          { role: 'userId', id },
          { role: 'credentials', id: set },
        ],
      },
    })
  }

  /** The hash of those that nobody has confirmed yet: what an honest server puts into a pre-image. */
  unconfirmed(user: Uint8Array): Uint8Array {
    const { ledger, now, root } = this.world
    const find = <T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]) => {
      const value = ledger.reader.read(root.stream, recordKey(table, ...name))
      return value === undefined ? undefined : decodeRecord(table, value)
    }
    return credentialSetHash(user, unconfirmedOf({ find }, user, now))
  }

  /** Registered, with a recovery key; confirmed by the administrator if `isConfirmed`. */
  async newcomer(user: Made, isConfirmed: boolean, more: Registering = {}): Promise<Actor> {
    const { first = newKeyCredential() } = more
    await this.put('registration', this.registering(user.id, first, more))
    if (isConfirmed) await this.put('confirmation', this.confirming(this.admin, user))
    return { user: user.id, name: user.name, by: first }
  }

  /** Members of the organization's settings, by its root quorum. */
  async settle(settings: object): Promise<void> {
    const wish = { method: 'PUT', path: '/orgs/settings', body: { settings } }
    await this.put('settings', this.ask(this.admin, wish))
  }

  /** An employee who may do everything, with a passkey and nothing else. */
  async passkeyHolder(passkey: Passkey): Promise<Actor> {
    const { id: user, name } = await this.invite()
    await this.put('registration', this.registering(user, passkey))
    await this.put('confirmation', this.confirming(this.admin, { id: user, name }))
    const { key, spki } = passkey
    const actor = { user, name, by: { key, spki, pem: '' } }
    await this.assign(this.everything, actor)
    return actor
  }

  async pair(): Promise<void> {
    await setUpPair(this.world, 1, corrupt)
  }
}

export type Proposing = Omit<Forging, 'place' | 'asked'> & {
  readonly place?: Place
  readonly key?: Key
  readonly bid?: number
}
type TransferChange = Partial<Omit<Wish, 'body' | 'facts'>> & {
  readonly body?: object
  readonly nonce?: bigint
  readonly facts?: Facts
}
export type Deriving = {
  readonly path?: string
  readonly body?: object
  readonly ids?: Ask['ids']
}
export type Registering = {
  readonly first?: KeyCredential
  readonly recovery?: KeyCredential
  readonly path?: string
  readonly change?: Partial<Preimage>
}

export function fresh(size = 32): Uint8Array {
  return new Uint8Array(randomBytes(size))
}

export function made(evidence: WholeEvidence, kind: IdKind, index = 0): Made {
  const id = idOf(requestOfEvidence(evidence), kind, index)
  return { id, name: nameOf(kind, id) }
}

function keyOf(evidence: WholeEvidence): Key {
  const { id, name } = made(evidence, 'key')
  return { id, name, statement: readKeyCertificate(evidence.facts).statement }
}

/** The same, signed by somebody else or something else than the user meant. */
export function signedBy(
  by: Person,
  evidence: WholeEvidence,
  preimage = evidence.preimage,
): WholeEvidence {
  return { ...evidence, assertions: [assertionBy(by, preimage)] }
}
