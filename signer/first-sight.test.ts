import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { idOf } from '@quorate/core/id'
import { createWallet, type Wallet } from './testing/keys.ts'
import type { Drafted, Place } from './testing/ledger.ts'
import { addCredential, administratorBy, recovering, waitSetting } from './testing/recovery.ts'
import { signCall } from './testing/signing.ts'
import { transferRequest } from './testing/uses.ts'
import { World, toldAnswer } from './testing/world.ts'

const [hourMs, dayMs] = [60 * 60_000, 24 * 60 * 60_000]
const waitMs = 7 * dayMs
/** Enough to certify, without the one who is watched: more than may be corrupt. */
const colluding = [2, 3, 4]
const tooEarly = /not known of the recovery for long enough/

/** What follows rests on what came before: one organization, to which things happen in turn. */
describe('a recovery that a colluding quorum dates back', () => {
  const world = new World({ real: [1] })
  const old = newKeyCredential({ kind: 'RecoveryKey' })
  const [brought, next] = [newKeyCredential(), newKeyCredential({ kind: 'RecoveryKey' })]
  let wallet: Wallet
  let oldId: Uint8Array
  let nextId: Uint8Array
  before(async () => {
    await world.found()
    await world.put('settings', waitSetting(world, waitMs))
    oldId = await addCredential(world, old)
    wallet = await createWallet(world, 'EthereumSepolia')
  })
  after(() => world.close())

  /** Nobody asks the watched signer, who learns of it as of any other step that others agreed to. */
  async function impose(place: Place, drafted: Drafted): Promise<void> {
    const certificate = world.certificateBy(colluding, place, drafted.step)
    const answer = await world.adopt(1, place, { certificate, step: drafted.step })
    assert.equal(answer.kind, 'head', toldAnswer(answer))
    world.ledger.add(place.stream, { step: drafted.step, certificate, writes: drafted.writes })
  }

  const recovered = (by = brought) => administratorBy(world, by)
  const use = (nonce: bigint, person = recovered()) => {
    const evidence = transferRequest(world, wallet, { nonce, person })
    const place = world.keyPlace(wallet.key.id)
    return { place, drafted: world.draft(place, [{ kind: 'use', evidence }]) }
  }
  const vote = async ({ place, drafted }: { place: Place; drafted: Drafted }) =>
    toldAnswer(await world.answer(1, place, world.propose(place, drafted.step)))

  it('is in force for the log, and this signer votes for nothing that it brings', async () => {
    // Made a week ago by those who kept it to themselves, and shown when its wait is over.
    const evidence = recovering(world, { old, oldId, first: brought, next })
    const drafted = world.draft(world.root, [{ kind: 'recovery', evidence }])
    nextId = idOf(requestOfEvidence(evidence), 'credential', 1)
    world.pass(waitMs + hourMs)
    await impose(world.root, drafted)
    assert.match(await vote(use(0n)), tooEarly)
  })

  it('gives it no part in a session of what those others have certified, nor in a birth', async () => {
    const used = use(0n)
    await impose(used.place, used.drafted)
    const answer = await world.session(1, signCall(used.place, used.drafted))
    assert.match(answer.kind === 'refused' ? answer.reason : answer.kind, tooEarly)
    const { organization } = world
    const asked = world.request({ path: '/wallets', body: { network: 'Base' } }, recovered())
    const nonce = new Uint8Array(randomBytes(32))
    const call = { kind: 'generate', organization, evidence: asked, index: 0, nonce } as const
    const born = await world.session(1, call)
    assert.match(born.kind === 'refused' ? born.reason : born.kind, tooEarly)
  })

  it('still waits here after a restart, to the end by its own clock', async () => {
    world.pass(waitMs - 2 * hourMs)
    world.restart(1)
    assert.match(await vote(use(1n)), tooEarly)
    world.pass(2 * hourMs)
    const late = use(1n)
    await world.certify(late.place, late.drafted)
    const answer = await world.session(1, signCall(late.place, late.drafted))
    // As far as any session gets in a world where the key was never made.
    assert.match(answer.kind === 'refused' ? answer.reason : answer.kind, /no share of this key/)
  })

  it('that nobody must wait for counts here at once', async () => {
    await world.put('settings', waitSetting(world, 0, recovered()))
    const second = newKeyCredential()
    await world.put('recovery', recovering(world, { old: next, oldId: nextId, first: second }))
    const used = use(2n, recovered(second))
    await world.certify(used.place, used.drafted)
  })
})
