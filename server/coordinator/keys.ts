import { equalBytes, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { readBirth, type KeyStatement, type KeyTerms } from '@quorate/authority/key-certificate'
import type { Manifest } from '@quorate/authority/manifest'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { judgeKeyRequest } from '@quorate/authority/reduce/questions'
import { decodeRecord, keyTable, recordKey } from '@quorate/authority/records'
import type { Rules } from '@quorate/authority/reduce/judging'
import type { Evidence } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { childKeyOf } from '@quorate/effects/child-key'
import { childParts } from '@quorate/threshold/public/child'
import type { Database } from '../database/database.ts'
import type { Links } from '../link/links.ts'
import type { CatchUp } from './catch-up.ts'
import type { Hours } from './hours.ts'
import { keyCeremony } from './ceremony-ids.ts'
import { birth, requireAll } from './birth.ts'
import type { DriveLog } from './drive.ts'
import { keepKeyCertificate } from './ledger.ts'
import type { Pool } from './pool.ts'
import type { Views } from './views.ts'

/** Keys whose statements are at hand. */
const statementsMax = 10_000

/** What it takes to use a key, whether it was born for its request or ahead of it. */
export type KnownKey = Omit<KeyStatement, 'terms'> & {
  readonly terms: Pick<KeyTerms, 'organization' | 'key' | 'scheme' | 'curve' | 'untweaked'>
}
export type CreatedKey = { readonly certificate: Uint8Array; readonly statement: KnownKey }
/** `index` says which of a request's keys; only a registration makes several. */
export type KeyAsk = {
  readonly organization: Uint8Array
  readonly evidence: Evidence
  readonly index?: number
}

export type KeysWorld = {
  readonly database: Database
  readonly links: Links
  readonly views: Views
  readonly catchUp: CatchUp
  readonly hours: Hours
  readonly rules: Rules
  readonly manifest: Manifest
  readonly log: DriveLog
  /** All that a scheme's keys need besides, before the first of them is used. */
  readonly prepare: (organization: Uint8Array, scheme: string) => Promise<void>
  readonly clock: () => number
  /** Keys that were born before anybody asked. */
  readonly pool: Pick<Pool, 'take'>
}

/** Keys are born by all signers together, or not at all: for a request, or ahead of it. */
export class Keys {
  private readonly world: KeysWorld
  private readonly running = new Map<string, Promise<CreatedKey>>()
  private readonly statements = new Map<string, KnownKey>()

  constructor(world: KeysWorld) {
    this.world = world
  }

  /**
   * What comes of it is kept under its request and index: whoever asks again gets the same key.
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`, `clock.wrong`
   */
  create(ask: KeyAsk): Promise<CreatedKey> {
    const name = toHex(keyAsked(ask).id)
    const present = this.running.get(name)
    if (present !== undefined) return present
    const started = this.run(ask).finally(() => this.running.delete(name))
    this.running.set(name, started)
    return started
  }

  private async run(ask: KeyAsk): Promise<CreatedKey> {
    const { database, views, catchUp, rules, manifest, pool } = this.world
    const { organization, evidence, index = 0 } = ask
    const { id, request } = keyAsked(ask)
    const made = await this.find(organization, id)
    if (made !== undefined && equalBytes(made.request, request)) return read(id, made.certificate)
    const root = { organization, stream: rootOf(organization) }
    const head = await views.refresh(root)
    const judged = await views.read(root, ({ reader }) =>
      judgeKeyRequest({ organization, time: this.world.clock(), evidence, index }, reader, rules),
    )
    if (!judged.ok) {
      await this.world.hours.check()
      throw new Failure('request.refused', { reason: judged.reason })
    }
    const { terms } = judged
    // These are told by their certificates, which those of the pool cannot.
    const isOwn = terms.master === 'yes' || terms.untweaked === 'yes'
    const waiting = isOwn ? undefined : await pool.take(terms)
    if (waiting !== undefined) return read(id, waiting)
    requireAll(this.world)
    const signers = manifest.signers.map((_, i) => i + 1)
    const [seq, enough] = [head?.seq ?? 0, signers.length]
    await catchUp.reach(root, { seq, signers, enough }, () => undefined)
    await this.world.prepare(organization, terms.scheme)
    const certificate = await this.generate(ask)
    await keepKeyCertificate(database, terms, certificate)
    return read(id, certificate)
  }

  private generate(ask: KeyAsk): Promise<Uint8Array> {
    const { organization, evidence, index = 0 } = ask
    const asked = keyAsked(ask)
    return birth(this.world, (nonce) => {
      const opening = { kind: 'generate', organization, evidence, index, nonce } as const
      return { id: keyCeremony(this.world.manifest.hash, opening, asked), opening }
    })
  }

  /** Does somebody wait for one that is being born for him? */
  get isBusy(): boolean {
    return this.running.size > 0
  }

  private find(organization: Uint8Array, key: Uint8Array) {
    const { database } = this.world
    return database
      .selectFrom('key_certificates')
      .select(['request', 'certificate'])
      .where('organization', '=', organization)
      .where('key', '=', key)
      .executeTakeFirst()
  }

  /** Of a key in the log. */
  async statementOf(organization: Uint8Array, key: Uint8Array): Promise<KnownKey | undefined> {
    const name = toHex(key)
    const known = this.statements.get(name)
    if (known !== undefined && equalBytes(known.terms.organization, organization)) return known
    const statement =
      (await this.certified(organization, key)) ?? (await this.derived(organization, key))
    if (statement === undefined) return undefined
    if (this.statements.size >= statementsMax) this.statements.clear()
    this.statements.set(name, statement)
    return statement
  }

  private async certified(organization: Uint8Array, key: Uint8Array) {
    const found = await this.find(organization, key)
    return found && read(key, found.certificate).statement
  }

  /** What its master's statement and its place in the log say of a key that nobody has generated. */
  private async derived(organization: Uint8Array, key: Uint8Array): Promise<KnownKey | undefined> {
    const root = { organization, stream: rootOf(organization) }
    const record = await this.world.views.read(root, ({ reader }) =>
      reader.read(root.stream, recordKey(keyTable, key)),
    )
    const { terms, derivation } = record ? decodeRecord(keyTable, record) : {}
    if (terms === undefined || derivation === undefined) return undefined
    const master = await this.certified(organization, derivation.master)
    const child = master && childKeyOf(master, derivation.path)
    if (master === undefined || child === undefined) return undefined
    const { tweak, chainCode } = child
    return { ...master, terms, ...childParts(master, tweak), chainCode }
  }
}

function keyAsked({ evidence, index }: KeyAsk) {
  const request = requestOfEvidence(evidence)
  return { id: idOf(request, 'key', index), request }
}

function read(key: Uint8Array, certificate: Uint8Array): CreatedKey {
  const { statement } = readBirth(certificate)
  const terms = { untweaked: 'no' as const, ...statement.terms, key }
  return { certificate, statement: { ...statement, terms } }
}
