import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { writeChildPath, type ChildPath } from '../child-path.ts'
import { erased } from '../erasure.ts'
import { matchOperation, permissionNames, type OperationName } from '../operations.ts'
import { fingerprintOf } from '../credential.ts'
import {
  credentialTable,
  decodeRecord,
  encodeRecord,
  frozenTable,
  grantsTable,
  nameTable,
  permissionTable,
  recordKey,
  userTable,
  type RecordOf,
  type Table,
} from '../records.ts'
import type { NetworkTraits, ParentKey, PlanAsk, Rules, Sponsored } from '../reduce/judging.ts'
import { newborn } from '../reduce/new-user.ts'
import { judgeKeyRequest } from '../reduce/questions.ts'
import { draftStep, reduceStep, type StepOutcome } from '../reduce/step.ts'
import { decodePreimage } from '../request.ts'
import { noStep, reducerVersion, type Evidence, type ItemKind, type Step } from '../step.ts'
import { keyStream, rootOf, type StreamId } from '../stream.ts'
import { nothingLeaves, policies } from './policies.ts'
import {
  certifyKey,
  makeCluster,
  makeGenesis,
  makePerson,
  makeRequest,
  pathOf,
  Records,
  requestOf,
  t0,
  type Ask,
  type Person,
} from './world.ts'

/**
 * An organization of one administrator and one service account that may do everything, and of end
 * users as many as one likes: every record but theirs comes from the rules themselves.
 */
export type Member = {
  readonly user: Uint8Array
  readonly name: string
  readonly by: Person
  readonly token?: Uint8Array
}
export type Made = {
  readonly kind: ItemKind
  readonly evidence: Evidence
  readonly key?: Uint8Array
  readonly time?: number
  readonly bid?: number
}
type Wish = Omit<Ask, 'organization' | 'user' | 'by' | 'token'>

const digest = new Uint8Array(32).fill(9)
const sponsorDigest = new Uint8Array(32).fill(10)
const fillDigest = new Uint8Array(32).fill(11)
const signed = (digest: Uint8Array) => ({ digests: [digest], messages: [digest] })
const open = { separated: true, isRetired: false, hasSponsors: false } as const
const onSecp256k1 = { scheme: 'ECDSA', curve: 'secp256k1' } as const

/** `judge/` has the real ones; here a plan is whatever the payload says. */
function rulesOf({ manifest }: ReturnType<typeof makeCluster>): Rules {
  const networks: Readonly<Record<string, NetworkTraits>> = {
    Chain: { ...onSecp256k1, ...open, rawAllowed: false, hasSponsors: true },
    Other: { ...onSecp256k1, ...open, rawAllowed: false },
    Retired: { ...onSecp256k1, ...open, rawAllowed: false, isRetired: true, hasSponsors: true },
    KeyECDSA: { ...onSecp256k1, ...open, rawAllowed: true },
    KeyEdDSA: { scheme: 'EdDSA', curve: 'ed25519', ...open, rawAllowed: true },
  }
  return {
    manifest,
    networkOf: (id) => (Object.hasOwn(networks, id) ? networks[id] : undefined),
    plan: ({ network, sponsored }: PlanAsk) => ({
      ok: true,
      network: network === '' ? 'KeyECDSA' : network,
      slot: undefined,
      slotNamed: false,
      fee: 1n,
      digests: [sponsored === undefined ? digest : sponsoredDigest(sponsored)],
      messages: [digest],
      outflow: nothingLeaves,
    }),
    // Slot and fee are whatever the facts say, and the digest is another one than the wallet's own.
    planSponsorship: ({ network, fills, facts: [slot, fee = 0] }) =>
      slot === undefined
        ? { ok: false, reason: 'nothing was signed before' }
        : {
            ...{ ok: true, network, slot: BigInt(slot), slotNamed: false, fee: BigInt(fee) },
            ...signed(fills ? fillDigest : sponsorDigest),
            outflow: { ...nothingLeaves, fee: { asset: 'Chain/Native', amount: BigInt(fee) } },
          },
    policies,
    childOf: (parent, path) => new Uint8Array([2, ...childPoint(parent, path)]),
  }
}

/** Another one for every request that somebody else pays for. */
export function sponsoredDigest({ request, executeBefore, sponsor }: Sponsored): Uint8Array {
  return hashOf('sponsored', request, toUtf8(`${executeBefore}`), sponsor)
}

/** Another one for every parent and path, and no public key. */
function childPoint({ publicKey, chainCode }: ParentKey, path: ChildPath): Uint8Array {
  return hashOf('a child', publicKey, chainCode, toUtf8(writeChildPath(path)))
}

export class Company {
  readonly cluster = makeCluster()
  readonly rules = rulesOf(this.cluster)
  readonly organization: Uint8Array
  readonly root: StreamId
  readonly admin: Member
  readonly machine: Member
  readonly permission: Uint8Array
  readonly genesisRequest: Uint8Array
  records = new Records()
  /** Operations that were found to be the same without their erasable members. */
  readonly erasedOnce = new Set<OperationName>()

  constructor() {
    const by = makePerson('P-256')
    const genesis = makeGenesis(this.cluster, by)
    const request = requestOf(genesis)
    this.genesisRequest = request
    this.organization = idOf(request, 'organization')
    this.root = rootOf(this.organization)
    this.admin = { user: idOf(request, 'user'), name: nameOf('user', idOf(request, 'user')), by }
    this.permission = idOf(request, 'permission')
    this.apply({ kind: 'genesis', evidence: genesis })
    this.machine = this.makeServiceAccount()
  }

  /** One that may do everything. */
  makeServiceAccount(): Member {
    const by = makePerson()
    const body = { name: 'api', publicKey: by.pem, daysValid: 30 }
    const asked = this.ask(this.admin, { path: '/auth/service-accounts', body })
    this.apply({ kind: 'serviceAccount', evidence: asked })
    const [user, token] = [idOf(requestOf(asked), 'user'), idOf(requestOf(asked), 'token')]
    const made = { user, name: nameOf('user', user), by, token }
    this.assign(made)
    return made
  }

  assign({ user, name }: Pick<Member, 'user' | 'name'>): void {
    const asked = this.ask(this.admin, {
      path: pathOf('permission', this.permission, '/assignments'),
      body: { identityId: name },
      ids: { permissionId: this.permission, identityId: user },
    })
    this.apply({ kind: 'assignment', evidence: asked })
  }

  /** As a registration leaves him behind: with a credential that may or may not count yet. */
  makeEndUser(
    change: Partial<RecordOf<typeof userTable>> = {},
    rank: 'confirmed' | 'unconfirmed' = 'confirmed',
  ): Member {
    const by = makePerson()
    const user = new Uint8Array(randomBytes(32))
    const [name, fingerprint] = [nameOf('user', user), fingerprintOf(by.spki)]
    const born = { ...newborn, kind: 'endUser', origin: 'delegated', registered: 'yes' } as const
    const id = new Uint8Array(randomBytes(32))
    this.write(userTable, [user], { ...born, credentials: [fingerprint], ...change })
    this.write(nameTable, [name], { id: user })
    this.write(credentialTable, [user, fingerprint], {
      ...{ id, kind: 'Key', spki: by.spki, rank, status: 'active', token: undefined },
      ...{ relyingParty: undefined, generation: 0 },
    })
    const permission = new Uint8Array(32).fill(7)
    this.write(permissionTable, [permission], {
      ...{ name: 'EndUsers', all: 'no', immutable: 'no', status: 'active' },
      operations: [...permissionNames],
    })
    this.write(grantsTable, [user], { entries: [{ permission, assignment: id }] })
    return { user, name, by }
  }

  /** A user, a key or the organization, as somebody else will have frozen it. */
  freeze(target: Uint8Array): void {
    this.write(frozenTable, [target], { freezes: [new Uint8Array(32)] })
  }

  write<T>(table: Table<T>, name: readonly (Uint8Array | string)[], value: T): void {
    const write = { key: recordKey(table, ...name), value: encodeRecord(table, value) }
    this.records = this.records.with(this.root, write)
  }

  alter<T>(table: Table<T>, name: readonly (Uint8Array | string)[], change: Partial<T>): void {
    this.records = this.records.altered(this.root, table, name, change)
  }

  find<T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]): T | undefined {
    const value = this.records.read(this.root, recordKey(table, ...name))
    return value === undefined ? undefined : decodeRecord(table, value)
  }

  ask({ user, by, token }: Member, wish: Wish): Evidence {
    const { organization } = this
    return makeRequest({ organization, user, by, ...(token && { token }), ...wish })
  }

  /**
   * The terms that every signer works out before it takes part, or why it does not.
   * @param index which of its keys; only a registration makes several
   */
  termsOf(evidence: Evidence, index = 0) {
    const asked = { organization: this.organization, time: t0, evidence, index }
    return judgeKeyRequest(asked, this.records, this.rules)
  }

  /** The same with the certificate of the key that it makes. */
  certified(evidence: Evidence): Evidence {
    const judged = this.termsOf(evidence)
    assert.ok(judged.ok, judged.ok ? '' : judged.reason)
    return {
      ...evidence,
      facts: certifyKey(this.cluster, judged.terms, new Uint8Array(33).fill(2)),
    }
  }

  makeKey(author: Member, body: object = {}, ids: Ask['ids'] = {}) {
    const wish = { path: '/keys', body: { scheme: 'ECDSA', curve: 'secp256k1', ...body }, ids }
    const evidence = this.certified(this.ask(author, wish))
    this.apply({ kind: 'key', evidence })
    const id = idOf(requestOf(evidence), 'key')
    return { id, name: nameOf('key', id) }
  }

  makeWallet(author: Member, body: object = {}, ids: Ask['ids'] = {}) {
    const asked = this.ask(author, { path: '/wallets', body: { network: 'Chain', ...body }, ids })
    const evidence = ids['signingKey.id'] === undefined ? this.certified(asked) : asked
    this.apply({ kind: 'wallet', evidence })
    const id = idOf(requestOf(evidence), 'wallet')
    const key = ids['signingKey.id'] ?? idOf(requestOf(evidence), 'key')
    return { id, name: nameOf('wallet', id), key }
  }

  try({ kind, evidence, key, time = t0, bid }: Made) {
    const stream = key === undefined ? this.root : keyStream(key)
    const drafted = draftStep(
      {
        ...{ organization: this.organization, stream, previous: noStep, heads: [], time },
        ...{ seq: kind === 'genesis' ? 0 : 1, manifest: this.cluster.manifest.hash },
        reducer: reducerVersion,
      },
      [{ kind, evidence, bid }],
      this.records,
      this.rules,
    )
    if (!drafted.ok) return drafted
    const { step } = drafted
    const outcome = reduceStep(step, [evidence], this.records, this.rules)
    this.judgeErased(step, evidence, outcome)
    return { ...outcome, step, stream }
  }

  /** Whatever any test here asks for means the same without its erasable members. */
  private judgeErased(step: Step, evidence: Evidence, whole: StepOutcome): void {
    const left = erased(evidence)
    if (left === undefined) return
    assert.deepEqual(reduceStep(step, [left], this.records, this.rules), whole)
    const { method, path } = decodePreimage(evidence.preimage)
    const name = matchOperation(method, path)?.name
    if (whole.ok && name !== undefined) this.erasedOnce.add(name)
  }

  apply(made: Made) {
    const outcome = this.try(made)
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
    this.records.apply(outcome.stream, outcome.writes)
    const [item] = outcome.step.items
    if (item === undefined) throw new Error('a step without an item')
    return item.operation
  }

  refusal(made: Made): string | undefined {
    const outcome = this.try(made)
    return outcome.ok ? undefined : outcome.reason
  }
}
