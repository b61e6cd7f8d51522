import { randomBytes } from 'node:crypto'
import { equalBytes, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import {
  isCertified,
  type KeyStatement,
  readKeyCertificate,
  sealKeyCertificate,
} from '@quorate/authority/key-certificate'
import type { Manifest } from '@quorate/authority/manifest'
import { judgeKeyRequest } from '@quorate/authority/reduce/step'
import type { Rules } from '@quorate/authority/reduce/judging'
import { requestHash } from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import type { Database } from '../database/database.ts'
import type { Links } from '../link/links.ts'
import type { CatchUp } from './catch-up.ts'
import { keyCeremony } from './ceremony-ids.ts'
import { Ceremony, type CeremonyOutcome } from './ceremony.ts'
import type { DriveLog } from './drive.ts'
import { keepKeyCertificate } from './ledger.ts'
import type { Views } from './views.ts'

/** A round of a key generation between seven signers, on a machine that has other things to do. */
const roundMsMax = 10_000
/** Keys whose statements are at hand. */
const statementsMax = 10_000

export type CreatedKey = { readonly certificate: Uint8Array; readonly statement: KeyStatement }
export type KeyAsk = { readonly organization: Uint8Array; readonly evidence: Evidence }

/** Keys are born by all signers together, or not at all. */
export function openKeys(world: {
  readonly database: Database
  readonly links: Links
  readonly views: Views
  readonly catchUp: CatchUp
  readonly rules: Rules
  readonly log: DriveLog
  /** All that a scheme's keys need besides, before the first of them is used. */
  readonly prepare: (organization: Uint8Array, scheme: string) => Promise<void>
  readonly clock: () => number
}) {
  const { database, links, views, catchUp, rules, log } = world
  const { manifest } = rules
  const running = new Map<string, Promise<CreatedKey>>()
  const statements = new Map<string, KeyStatement>()

  /**
   * What comes of it is kept under its request: whoever asks again gets the same key.
   * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`
   */
  function create(ask: KeyAsk): Promise<CreatedKey> {
    const name = toHex(requestHash(ask.evidence.preimage))
    const present = running.get(name)
    if (present !== undefined) return present
    const started = run(ask).finally(() => running.delete(name))
    running.set(name, started)
    return started
  }

  async function run(ask: KeyAsk): Promise<CreatedKey> {
    const { organization, evidence } = ask
    const request = requestHash(evidence.preimage)
    const made = await find(organization, idOf(request, 'key'))
    if (made !== undefined && equalBytes(made.request, request)) return read(made.certificate)
    const root = { organization, stream: rootOf(organization) }
    const head = await views.refresh(root)
    const judged = await views.read(root, ({ reader }) =>
      judgeKeyRequest({ organization, time: world.clock(), evidence }, reader, rules),
    )
    if (!judged.ok) throw new Failure('request.refused', { reason: judged.reason })
    requireAll()
    const signers = manifest.signers.map((_, i) => i + 1)
    const [seq, enough] = [head?.seq ?? 0, signers.length]
    await catchUp.reach(root, { seq, signers, enough }, () => undefined)
    await world.prepare(organization, judged.terms.scheme)
    const certificate = await generate(ask)
    await keepKeyCertificate(database, certificate)
    return read(certificate)
  }

  function requireAll(): void {
    const connected = links.connected()
    const missing = manifest.signers.flatMap(({ id }, i) => (connected.includes(i + 1) ? [] : [id]))
    if (missing.length > 0) throw new Failure('signers.unavailable', { missing })
  }

  async function generate({ organization, evidence }: KeyAsk): Promise<Uint8Array> {
    const nonce = new Uint8Array(randomBytes(32))
    const participants = manifest.signers.map((_, i) => i + 1)
    const opening = { kind: 'generate', organization, evidence, nonce } as const
    const request = requestHash(evidence.preimage)
    const id = keyCeremony(manifest.hash, opening, { id: idOf(request, 'key'), request })
    const carrier = { links, manifest, protocol: 'dkg', deadlineMs: roundMsMax } as const
    const plan = { ...carrier, id, participants, opening, rounds: undefined }
    const outcome = await new Ceremony(plan).go()
    if (outcome.kind !== 'done') throw failureOf(outcome, manifest, log)
    const said = participants.map((signer) => outcome.endings.get(signer))
    const certified = said.flatMap((ending) => (ending?.kind === 'certified' ? [ending] : []))
    const [first] = certified
    const isOne =
      first !== undefined &&
      certified.length === participants.length &&
      certified.every(({ statement }) => equalBytes(statement, first.statement))
    if (!isOne) throw new Failure('signing.failed', { reason: 'the signers made different keys' })
    const signatures = certified.map(({ signature }) => signature)
    const certificate = sealKeyCertificate(first.statement, signatures)
    if (!isCertified(certificate, manifest))
      throw new Failure('signing.failed', { reason: 'the key is not certified by every signer' })
    return certificate
  }

  function find(organization: Uint8Array, key: Uint8Array) {
    return database
      .selectFrom('key_certificates')
      .select(['request', 'certificate'])
      .where('organization', '=', organization)
      .where('key', '=', key)
      .executeTakeFirst()
  }

  /** Of a key in the log. */
  async function statementOf(
    organization: Uint8Array,
    key: Uint8Array,
  ): Promise<KeyStatement | undefined> {
    const name = toHex(key)
    const known = statements.get(name)
    if (known !== undefined && equalBytes(known.terms.organization, organization)) return known
    const found = await find(organization, key)
    if (found === undefined) return undefined
    const { statement } = read(found.certificate)
    if (statements.size >= statementsMax) statements.clear()
    statements.set(name, statement)
    return statement
  }

  return { create, statementOf }
}
export type Keys = ReturnType<typeof openKeys>

function read(certificate: Uint8Array): CreatedKey {
  return { certificate, statement: readKeyCertificate(certificate).statement }
}

/** All n must take part, so that one signer's silence or refusal ends it. */
function failureOf(
  outcome: Exclude<CeremonyOutcome, { kind: 'done' }>,
  { signers }: Manifest,
  log: DriveLog,
): Failure {
  const id = signers[outcome.signer - 1]?.id ?? ''
  log.warn({ signer: id, kind: outcome.kind }, 'a key generation ended')
  if (outcome.kind === 'missed' || outcome.kind === 'unready')
    return new Failure('signers.unavailable', { missing: [id] })
  if (outcome.kind === 'refused') return new Failure('request.refused', { reason: outcome.reason })
  return new Failure('signing.failed', { reason: `the key generation ended at ${id}` })
}
