import assert from 'node:assert/strict'
import { encodeBody } from '@quorate/authority/body'
import { fingerprintOf, type Assertion } from '@quorate/authority/credential'
import {
  credentialTable,
  encodeRecord,
  recordKey,
  settingsTable,
  userTable,
} from '@quorate/authority/records'
import type { Reader } from '@quorate/authority/reduce/judging'
import { judgeKeyRequest } from '@quorate/authority/reduce/questions'
import { draftStep, reduceStep } from '@quorate/authority/reduce/step'
import { challengeOf } from '@quorate/authority/request'
import { defaultSettings } from '@quorate/authority/settings'
import { encodeStep, noStep, reducerVersion, stepHash } from '@quorate/authority/step'
import type { Evidence, Step } from '@quorate/authority/step'
import { keyStream, rootOf, type StreamId } from '@quorate/authority/stream'
import { newPasskey } from '@quorate/authority/testing/passkey'
import {
  assertionBy,
  certifyKey,
  certifyStep,
  makeCluster,
  makeGenesis,
  makePerson,
  makeRequest,
  pathOf,
  Records,
  requestOf,
  t0,
} from '@quorate/authority/testing/world'
import { toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { encodeFacts } from '@quorate/effects/facts'
import { rulesFor } from '@quorate/judge/rules'
import { Replay, type ExportedStep } from './verify-log.ts'

/**
 * What the rules cost: processor time of one judge, on one core. Run by `npm run bench:auth`, in a
 * process of its own that does nothing else.
 */
const cluster = makeCluster()
const rules = rulesFor(cluster.manifest)
const admin = makePerson()
const genesis = makeGenesis(cluster, admin)
const organization = idOf(requestOf(genesis), 'organization')
const root = rootOf(organization)
const user = idOf(requestOf(genesis), 'user')
const passkey = newPasskey()

type Place = { readonly stream: StreamId; readonly seq: number; readonly previous: Uint8Array }
type Drafted = { readonly step: Step; readonly evidence: Evidence; readonly reader: Records }

function draft(
  records: Records,
  { stream, seq, previous }: Place,
  kind: Parameters<typeof draftStep>[1][number]['kind'],
  evidence: Evidence,
): Drafted {
  const at = { organization, stream, seq, previous, heads: [], time: t0 }
  const head = { ...at, manifest: cluster.manifest.hash, reducer: reducerVersion }
  const made = draftStep(head, [{ kind, evidence }], records, rules)
  assert.ok(made.ok, made.ok ? '' : made.reason)
  return { step: made.step, evidence, reader: records }
}

/** A founded organization whose administrator has a passkey besides his key. */
function founded(): Records {
  const records = new Records()
  apply(records, draft(records, { stream: root, seq: 0, previous: noStep }, 'genesis', genesis))
  const own = fingerprintOf(passkey.spki)
  const known = { relyingParty: passkey.relyingParty, id: noStep, spki: passkey.spki } as const
  const credential = { kind: 'Fido2', rank: 'confirmed', status: 'active', generation: 0 } as const
  const party = { id: passkey.relyingParty, origins: [passkey.origin] }
  records.apply(root, [
    {
      key: recordKey(credentialTable, user, own),
      value: encodeRecord(credentialTable, { ...known, ...credential, token: undefined }),
    },
    {
      key: recordKey(settingsTable),
      value: encodeRecord(settingsTable, { ...defaultSettings, relyingParties: [party] }),
    },
  ])
  return records.altered(root, userTable, [user], {
    credentials: [fingerprintOf(admin.spki), own],
  })
}

function apply(records: Records, { step, evidence }: Drafted): void {
  const outcome = reduceStep(step, [evidence], records, rules)
  assert.ok(outcome.ok)
  records.apply(step.stream, outcome.writes)
}

/** The use of a key as a signer judges it: who asked, may they, and what would be signed. */
function benchChecks(runs: number, say: (text: string) => void): void {
  const records = founded()
  const asked = makeRequest({
    ...{ organization, user, by: admin, path: '/keys' },
    body: { scheme: 'ECDSA', curve: 'secp256k1' },
  })
  const judged = judgeKeyRequest({ organization, time: t0, evidence: asked }, records, rules)
  assert.ok(judged.ok)
  const { terms } = judged
  const publicKey = Uint8Array.from([2, ...new Uint8Array(31), 1])
  const facts = certifyKey(cluster, terms, publicKey)
  const place = { stream: root, seq: 1, previous: noStep }
  apply(records, draft(records, place, 'key', { ...asked, facts }))
  const authors: readonly (readonly [string, (preimage: Uint8Array) => Assertion])[] = [
    ['key, Ed25519', (preimage) => assertionBy(admin, preimage)],
    ['passkey, ES256', (preimage) => passkey.assertion(challengeOf(preimage))],
  ]
  for (const [name, assertion] of authors) {
    const uses = Array.from({ length: runs }, () => {
      const evidence = makeRequest({
        ...{ organization, user, by: admin, ids: { keyId: terms.key } },
        facts: encodeFacts({ family: 'none' }),
        path: pathOf('key', terms.key, '/signatures'),
        body: { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` },
      })
      const signed = { ...evidence, assertions: [assertion(evidence.preimage)] }
      const at = { stream: keyStream(terms.key), seq: 0, previous: noStep }
      return draft(records, at, 'use', signed)
    })
    say(
      `  ${name.padEnd(30)} ${times(uses, ({ step, evidence, reader }) => judge(step, evidence, reader))}`,
    )
  }
}

function judge(step: Step, evidence: Evidence, reader: Reader): void {
  assert.ok(reduceStep(step, [evidence], reader, rules).ok)
}

/** Replay of a root stream as the offline verifier does it: rules, hash chain and seals. */
function benchReplay(entries: number, say: (text: string) => void): void {
  const fresh = new Records()
  const first = draft(fresh, { stream: root, seq: 0, previous: noStep }, 'genesis', genesis)
  apply(fresh, first)
  const steps: ExportedStep[] = [exportedOf(first)]
  let previous = stepHash(encodeStep(first.step))
  for (let seq = 1; seq <= entries; seq++) {
    const evidence = makeRequest({
      ...{ organization, user, by: admin, path: '/permissions' },
      body: { name: `permission ${seq}`, operations: ['Wallets:Read'] },
    })
    const made = draft(fresh, { stream: root, seq, previous }, 'permission', evidence)
    apply(fresh, made)
    previous = stepHash(encodeStep(made.step))
    steps.push(exportedOf(made))
  }
  const replay = new Replay({ organization, orgId: '', manifest: cluster.manifest })
  const before = process.cpuUsage()
  for (const step of steps) replay.add(step)
  const { user: own, system } = process.cpuUsage(before)
  const verdict = replay.verdict()
  assert.deepEqual([verdict.faults, verdict.steps], [[], entries + 1])
  const seconds = (own + system) / 1e6
  const perTenThousand = ((seconds * 10_000) / entries).toFixed(1)
  say(`  10000 entries of one step each: ${perTenThousand} s of processor time (from ${entries})`)
}

function exportedOf({ step, evidence }: Drafted): ExportedStep {
  return {
    body: toHex(encodeBody(encodeStep(step), [evidence])),
    certificate: toHex(certifyStep(cluster, step)),
  }
}

/** The first ones have the code compiled, on this thread and others, and are not counted. */
const warmups = 500
/** One of them is without a pause of the collector, and without one that the machine made. */
const repeats = 5

/**
 * The mean is of processor time, of the whole process: with all threads that collect and compile.
 * Of one check that cannot be told: the kernel counts those other threads in ticks of some
 * milliseconds, and lays each tick on whichever check it falls into. So what a single one takes is
 * told by the clock on the wall, the least of a few times the same: what remains is its own work,
 * and the slowest of these are the checks that are slow.
 */
function times<T>(values: readonly T[], work: (value: T) => void): string {
  for (const value of values.slice(0, warmups)) work(value)
  const measured = values.slice(warmups)
  const before = process.cpuUsage()
  const once = measured.map((value) => msOf(() => work(value)))
  const { user: own, system } = process.cpuUsage(before)
  const mean = (own + system) / 1000 / measured.length
  const least = measured.map((value) =>
    Math.min(...Array.from({ length: repeats }, () => msOf(() => work(value)))),
  )
  return (
    `mean ${mean.toFixed(2)} ms of processor time; each by the clock, least of ${repeats}: ` +
    `median ${at(least, 0.5)}, p99 ${at(least, 0.99)}, worst ${at(least, 1)} ms; ` +
    `as it came: median ${at(once, 0.5)}, p99 ${at(once, 0.99)} ms (${measured.length} checks)`
  )
}

function msOf(work: () => void): number {
  const from = performance.now()
  work()
  return performance.now() - from
}

function at(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[Math.round(part * (sorted.length - 1))] ?? Number.NaN).toFixed(2)
}

const say = (text: string) => console.log(text)
benchChecks(warmups + 1_000, say)
benchReplay(4_000, say)
