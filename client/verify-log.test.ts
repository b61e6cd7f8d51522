import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { encodeBody } from '@quorate/authority/body'
import { fingerprintOf } from '@quorate/authority/credential'
import { draftStep } from '@quorate/authority/reduce/step'
import { judgeKeyRequest, messagesOf } from '@quorate/authority/reduce/questions'
import { keyStream, rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import { encodeStep, noStep, reducerVersion, stepHash } from '@quorate/authority/step'
import type { Evidence, Head, ItemKind, Step } from '@quorate/authority/step'
import {
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
import { decodeBody } from '@quorate/authority/body'
import { sponsorshipHash } from '@quorate/authority/request'
import { bytesToBig, fromHex, toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { encodeFacts } from '@quorate/effects/facts'
import { rulesFor } from '@quorate/judge/rules'
import { idsInExport, verifyExport } from './read-export.ts'
import { Untrusted } from './trust.ts'
import type { ExportedSignature, ExportedStep, Verdict } from './verify-log.ts'

const cluster = makeCluster()
const rules = rulesFor(cluster.manifest)
const admin = makePerson()
const genesis = makeGenesis(cluster, admin)
const organization = idOf(requestOf(genesis), 'organization')
const root = rootOf(organization)
const adminId = idOf(requestOf(genesis), 'user')

type Made = { readonly exported: ExportedStep; readonly step: Step; readonly evidence: Evidence }

/** An organization, as its log grows. */
function founded() {
  const records = new Records()
  const heads = new Map<string, Head>()
  const steps: Made[] = []
  const put = (stream: StreamId, kind: ItemKind, evidence: Evidence): Made => {
    const head = heads.get(streamName(stream))
    const rootHead = heads.get(streamName(root))
    const draft = {
      ...{ organization, stream, seq: (head?.seq ?? -1) + 1, previous: head?.step ?? noStep },
      ...{ manifest: cluster.manifest.hash, reducer: reducerVersion, time: t0 },
      heads: stream.kind === 'root' || rootHead === undefined ? [] : [rootHead],
    }
    const drafted = draftStep(draft, [{ kind, evidence }], records, rules)
    assert.ok(drafted.ok, drafted.ok ? '' : drafted.reason)
    const { step, writes } = drafted
    records.apply(stream, writes)
    heads.set(streamName(stream), { stream, seq: step.seq, step: stepHash(encodeStep(step)) })
    const made = { exported: exportedOf(step, [evidence]), step, evidence }
    steps.push(made)
    return made
  }
  put(root, 'genesis', genesis)
  const born = (kind: 'key' | 'wallet', body: object) => {
    const asked = { organization, user: adminId, by: admin, path: `/${kind}s`, body }
    const ask = makeRequest(asked)
    const judged = judgeKeyRequest({ organization, time: t0, evidence: ask }, records, rules)
    assert.ok(judged.ok)
    const secret = secp256k1.utils.randomSecretKey()
    const publicKey = secp256k1.getPublicKey(secret)
    const certificate = certifyKey(cluster, judged.terms, publicKey)
    put(root, kind, { ...ask, facts: certificate })
    return { key: judged.terms.key, secret, publicKey, id: idOf(requestOf(ask), kind) }
  }
  return { records, steps, put, born }
}

/** Its administrator makes a key and signs with it, twice; real signatures all. */
function history() {
  const { records, steps, put, born } = founded()
  const { key, secret } = born('key', { scheme: 'ECDSA', curve: 'secp256k1' })
  const use = () => {
    const evidence = makeRequest({
      ...{ organization, user: adminId, by: admin, ids: { keyId: key } },
      path: pathOf('key', key, '/signatures'),
      facts: encodeFacts({ family: 'none' }),
      body: { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` },
    })
    const { step } = put(keyStream(key), 'use', evidence)
    const planned = messagesOf({ step, evidence: [evidence], reader: records, rules }, 0)
    assert.ok(planned.ok)
    const [message = noStep] = planned.messages
    const signature = toHex(secp256k1.sign(message, secret, { prehash: false }))
    return { request: toHex(requestOf(evidence)), digest: 0, signature }
  }
  const journal: ExportedSignature[] = [use(), use()]
  return { steps, journal, secret, key }
}

/** A transfer that one wallet has signed, and another one around that. */
function paidHistory() {
  const { records, steps, put, born } = founded()
  const [payer, wallet] = [1, 2].map(() => born('wallet', { network: 'EthereumSepolia' }))
  if (payer === undefined || wallet === undefined) return assert.fail()
  const by = { organization, user: adminId, by: admin }
  const sponsoring = makeRequest({
    ...{ ...by, path: '/fee-sponsors', body: { walletId: nameOf('wallet', payer.id) } },
    ids: { walletId: payer.id },
  })
  put(root, 'feeSponsor', sponsoring)
  const sponsor = idOf(requestOf(sponsoring), 'feeSponsor')
  const evidence = makeRequest({
    ...{ ...by, path: pathOf('wallet', wallet.id, '/transfers'), maxFee: 10n ** 16n },
    body: {
      ...{ kind: 'Native', to: `0x${'77'.repeat(20)}`, amount: '1' },
      feeSponsorId: nameOf('feeSponsor', sponsor),
    },
    ids: { walletId: wallet.id, feeSponsorId: sponsor },
    facts: encodeFacts({ family: 'sponsored' }),
  })
  const signed = ({ step }: Made, beside: Evidence, secret: Uint8Array) => {
    const planned = messagesOf({ step, evidence: [beside], reader: records, rules }, 0)
    const [message = noStep] = planned.ok ? planned.messages : assert.fail(planned.reason)
    return secp256k1.sign(message, secret, { prehash: false, format: 'recovered' })
  }
  const first = signed(put(keyStream(wallet.key), 'use', evidence), evidence, wallet.secret)
  const [r, s] = [bytesToBig(first.subarray(1, 33)), bytesToBig(first.subarray(33))]
  const paying = {
    ...evidence,
    facts: encodeFacts({
      ...{ family: 'sponsorship', nonce: 0n, gasLimit: 100_000n, maxFeePerGas: 10n ** 9n },
      ...{ maxPriorityFeePerGas: 1n, inner: { r, s, yParity: first[0] === 1 ? 1 : 0 } },
    }),
  }
  const second = signed(put(keyStream(payer.key), 'sponsor', paying), paying, payer.secret)
  const request = requestOf(evidence)
  const journal = [
    { request: toHex(request), digest: 0, signature: toHex(first.subarray(1)) },
    { request: toHex(sponsorshipHash(request)), digest: 0, signature: toHex(second.subarray(1)) },
  ]
  return { steps: steps.map((made) => made.exported), journal }
}

function exportedOf(step: Step, evidence: readonly Evidence[]): ExportedStep {
  return {
    body: toHex(encodeBody(encodeStep(step), evidence)),
    certificate: toHex(certifyStep(cluster, step)),
  }
}

const world = history()
const exported = world.steps.map((made) => made.exported)

async function* linesOf(
  steps: readonly ExportedStep[],
  journal: readonly ExportedSignature[],
): AsyncGenerator<string> {
  const trust = {
    preimage: toHex(genesis.preimage),
    payload: genesis.payload,
    salt: toHex(genesis.salt),
    manifest: toHex(cluster.file),
  }
  yield JSON.stringify({ format: 'quorate/log/1', trust })
  for (const step of steps) yield JSON.stringify({ step })
  for (const signature of journal) yield JSON.stringify({ signature })
}

const verify = (
  steps: readonly ExportedStep[] = exported,
  journal: readonly ExportedSignature[] = world.journal,
): Promise<Verdict> => verifyExport(linesOf(steps, journal), toHex(requestOf(genesis)))

const faultsOf = async (...given: Parameters<typeof verify>) =>
  (await verify(...given)).faults.map(({ at, reason }) => `${at}: ${reason}`)
/** Of these four steps: genesis, key, first and second use. */
const inKey = streamName(keyStream(world.key))
const inRoot = streamName(root)
const replaced = (index: number, step: ExportedStep) =>
  exported.map((one, i) => (i === index ? step : one))

describe('an exported log', () => {
  it('tells of the key that pays for a request, and whose signature that was', async () => {
    const { steps, journal } = paidHistory()
    const verdict = await verify(steps, journal)
    assert.deepEqual(verdict.faults, [])
    const told = verdict.signatures.map(({ request, user, operation }) => [
      request,
      user,
      operation,
    ])
    assert.deepEqual(
      told,
      journal.map(({ request }) => [request, nameOf('user', adminId), 'wallets.transferAsset']),
    )
    const [inner, outer] = journal
    if (inner === undefined || outer === undefined) return assert.fail()
    const swapped = [inner, { ...outer, signature: inner.signature }]
    assert.deepEqual(await faultsOf(steps, swapped), [
      `signature ${outer.request}/0: it is not of the agreed message under its key`,
    ])
  })

  it('tells of each signature who wanted it, by which credential and by which right', async () => {
    const verdict = await verify()
    assert.deepEqual(verdict.faults, [])
    assert.deepEqual([verdict.steps, verdict.signatures.length], [4, 2])
    const [first] = verdict.signatures
    assert.equal(first?.user, nameOf('user', adminId))
    assert.deepEqual(first?.credentials, [toHex(fingerprintOf(admin.spki))])
    assert.deepEqual(first?.permissions, ['ManagedFullAdminAccess'])
    assert.equal(first?.request, world.journal[0]?.request)
    assert.equal(first?.signature, world.journal[0]?.signature)
    assert.deepEqual(
      verdict.heads.map(({ stream, seq }) => [stream, seq]),
      [
        [inRoot, 1],
        [inKey, 1],
      ],
    )
  })

  it('may lack a signature that was agreed on and not made', async () => {
    const verdict = await verify(exported, world.journal.slice(0, 1))
    assert.deepEqual(verdict.faults, [])
    assert.equal(verdict.signatures[1]?.signature, undefined)
  })

  it('is followed up to the step before one that was left out, exchanged or put elsewhere', async () => {
    const [first, key, use, second] = exported
    assert.ok(first && key && use && second)
    assert.deepEqual(await faultsOf([first, use, second], []), [
      `${inKey} 0: the step names a head that is not certified`,
    ])
    assert.deepEqual(await faultsOf([first, key, second], []), [
      `${inKey} 1: the step before it is missing`,
    ])
    assert.deepEqual(await faultsOf([first, key, second, use], []), [
      `${inKey} 1: the step before it is missing`,
    ])
    assert.deepEqual(await faultsOf([first, key, use, use, second], []), [
      `${inKey} 0: the step before it is missing`,
    ])
  })

  it('says at which step a byte was changed: of step, evidence or seals', async () => {
    for (const [index, at] of [
      `${inRoot} 0`,
      `${inRoot} 1`,
      `${inKey} 0`,
      `${inKey} 1`,
    ].entries()) {
      const made = world.steps[index]
      assert.ok(made)
      const { step, evidence } = made
      const later = exportedOf({ ...step, time: step.time + 1 }, [evidence])
      const unsealed = { ...later, certificate: made.exported.certificate }
      const [said] = await faultsOf(replaced(index, unsealed), [])
      assert.equal(said, `${at}: no quorum of the signers has sealed it`)
      const payload = evidence.payload.replace(/"/, ' "')
      const body = toHex(encodeBody(encodeStep(step), [{ ...evidence, payload }]))
      const [changed] = await faultsOf(replaced(index, { ...made.exported, body }), [])
      assert.match(changed ?? '', new RegExp(`^${at}: `))
    }
  })

  it('is not believed for the seals of too few, or of another cluster', async () => {
    const made = world.steps[3]
    assert.ok(made)
    const foreign = toHex(certifyStep(makeCluster(), made.step))
    assert.deepEqual(await faultsOf(replaced(3, { ...made.exported, certificate: foreign }), []), [
      `${inKey} 1: no quorum of the signers has sealed it`,
    ])
    assert.deepEqual(await faultsOf(replaced(3, { ...made.exported, certificate: '00' }), []), [
      `${inKey} 1: no quorum of the signers has sealed it`,
    ])
  })

  it('is judged by the rules, whoever has sealed it', async () => {
    const made = world.steps[2]
    assert.ok(made)
    const { step, evidence } = made
    const [item] = step.items
    assert.ok(item && item.operation.kind === 'use')
    const digests = [new Uint8Array(32).fill(7)]
    const forged = { ...item, operation: { ...item.operation, digests } }
    const sealed = exportedOf({ ...step, items: [forged] }, [evidence])
    const [said] = await faultsOf(replaced(2, sealed), [])
    assert.equal(said, `${inKey} 0: the item does something else than was asked for`)
    const unsigned = exportedOf(step, [{ ...evidence, assertions: [] }])
    const [unasked] = await faultsOf(replaced(2, unsigned), [])
    assert.equal(unasked, `${inKey} 0: other assertions`)
  })

  it('does not explain a signature that nobody asked for, nor one of something else', async () => {
    const [first] = world.journal
    assert.ok(first)
    const message = new Uint8Array(32).fill(9)
    const stray = toHex(secp256k1.sign(message, world.secret, { prehash: false }))
    assert.deepEqual(await faultsOf(exported, [{ ...first, signature: stray }]), [
      `signature ${first.request}/0: it is not of the agreed message under its key`,
    ])
    const unknown = { request: '11'.repeat(32), digest: 0, signature: stray }
    assert.deepEqual(await faultsOf(exported, [unknown]), [
      `signature ${unknown.request}/0: nobody asked for it`,
    ])
    assert.deepEqual(await faultsOf(exported.slice(0, 2), [first]), [
      `signature ${first.request}/0: nobody asked for it`,
    ])
  })

  it('has nothing to say that cannot be read', async () => {
    assert.deepEqual(await faultsOf([{ body: 'zz', certificate: '' }], []), [
      'step 1 of the export: it cannot be read',
    ])
    const truncated = { ...exported[0], body: exported[0]?.body.slice(0, -2) ?? '' }
    assert.deepEqual(await faultsOf([{ certificate: '', ...truncated }], []), [
      'step 1 of the export: it cannot be read',
    ])
    for (const line of ['{', '[]', '{"format":"quorate/log/2"}', '{"signature":{}}'])
      await assert.rejects(verifyExport(one(line), toHex(requestOf(genesis))), Untrusted)
    await assert.rejects(verifyExport(one(''), toHex(requestOf(genesis))), Untrusted)
  })

  it('tells the full ids of short names, as far as it can be followed', async () => {
    const [key, user] = [nameOf('key', world.key), nameOf('user', adminId)]
    const idsIn = async (steps: readonly ExportedStep[], pinned = toHex(requestOf(genesis))) =>
      idsInExport(linesOf(steps, []), pinned, [key, user, 'us-nobody'])
    assert.deepEqual(
      [...(await idsIn(exported))],
      [
        [key, world.key],
        [user, adminId],
      ],
    )
    const unsealed = { ...(exported[1] ?? assert.fail()), certificate: '' }
    assert.deepEqual([...(await idsIn(replaced(1, unsealed))).keys()], [user])
    await assert.rejects(idsIn(exported, '22'.repeat(32)), Untrusted)
  })

  it('is of the organization that was pinned, and of no other', async () => {
    await assert.rejects(
      verifyExport(linesOf(exported, []), '22'.repeat(32)),
      new Untrusted('Another genesis.'),
    )
    const other = decodeBody(fromHex(exported[1]?.body ?? ''))
    const strange = exportedOf({ ...other.step, organization: noStep }, other.evidence)
    const [said] = await faultsOf(replaced(1, strange), [])
    assert.equal(said, `${inRoot} 1: it is of another organization`)
  })
})

async function* one(line: string): AsyncGenerator<string> {
  yield line
}
