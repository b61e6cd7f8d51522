import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { WholeEvidence, ItemKind } from '@quorate/authority/step'
import { decodePreimage, encodePreimage } from '@quorate/authority/request'
import { encodeFacts } from '@quorate/effects/facts'
import { createWallet, type Wallet } from './testing/keys.ts'
import type { Drafted, Place } from './testing/ledger.ts'
import { assertionOf, makeCredential, signWithinMs, withPayload } from './testing/requests.ts'
import { evmFacts, forge, signatureRequest, transferRequest, usualMaxFee } from './testing/uses.ts'
import { World } from './testing/world.ts'

/**
 * One real signer, and a server, three other signers and a database that want it to sign. All they
 * lack is a request that its user has signed and the rules allow.
 */
describe('a signer in hostile company', () => {
  const world = new World({ real: [1] })
  let wallet: Wallet
  let other: Wallet
  let place: Place
  let honest: WholeEvidence

  before(async () => {
    await world.found()
    wallet = await createWallet(world, 'EthereumSepolia')
    other = await createWallet(world, 'EthereumSepolia')
    place = world.keyPlace(wallet.key.id)
    honest = transferRequest(world, wallet)
  })
  after(() => world.close())

  /** Proposes, asks for a signature and brings the locks and seals of all others. */
  async function refuses(drafted: Drafted, reason: RegExp, at: Place = place): Promise<void> {
    const { step } = drafted
    const sign = {
      kind: 'sign',
      ...at,
      seq: step.seq,
      step: step.hash,
      item: 0,
      digest: 0,
      quorum: [1, 2],
      nonce: new Uint8Array(randomBytes(32)),
    } as const
    const { answer, session } = await world.agree(1, at, world.propose(at, step), sign)
    assert.equal(answer.kind, 'refusal')
    assert.match(answer.kind === 'refusal' ? answer.detail : '', reason)
    assert.equal(session, undefined)
    const direct = await world.session(1, sign)
    assert.equal(direct.kind, 'refused')
    assert.match(direct.kind === 'refused' ? direct.reason : '', /unknown here/)
    assert.equal(world.member(1).store.log.voter(at).vote, undefined)
  }

  const forged = (evidence: WholeEvidence, kind: ItemKind = 'use') =>
    forge(world, place, { kind, evidence, like: honest })

  it('votes for what its user has signed, so that the refusals below mean something', async () => {
    const drafted = world.draft(place, [{ kind: 'use', evidence: honest }])
    const answer = await world.answer(1, place, world.propose(place, drafted.step, 0))
    assert.equal(answer.kind, 'vote')
    await world.certify(place, drafted)
    honest = transferRequest(world, wallet, { nonce: 1n })
  })

  it('refuses a forged signature', async () => {
    const [assertion] = honest.assertions
    assert.ok(assertion)
    const signature = assertion.signature.with(3, 1 ^ (assertion.signature[3] ?? 0))
    const evidence = { ...honest, assertions: [{ ...assertion, signature }] }
    await refuses(forged(evidence), /signature is not valid/)
  })

  it('refuses a payload that is not the signed one', async () => {
    const evidence = withPayload(honest, (body) => ({ ...body, amount: '1000000' }))
    await refuses(forged(evidence), /payload is not the one that was signed/)
  })

  it('refuses evidence that the step does not fix', async () => {
    const { step } = world.draft(place, [{ kind: 'use', evidence: honest }])
    const swapped = forged(withPayload(honest, (body) => ({ ...body, amount: '7' })))
    const answer = await world.answer(
      1,
      place,
      world.propose(place, { ...swapped.step, hash: step.hash }),
    )
    assert.ok(answer.kind === 'refusal' && answer.reason === 'malformed')
  })

  it('refuses a request for another path', async () => {
    const elsewhere = transferRequest(world, other, { nonce: 1n })
    await refuses(forged(elsewhere), /stream of another key/)
    const nowhere = world.request({ path: '/nowhere', body: {} })
    await refuses(forged(nowhere), /nothing that changes anything/)
    const unstepped = world.request({ path: '/keys', body: { scheme: 'EdDSA', curve: 'ed25519' } })
    await refuses(forged(unstepped), /where it belongs/)
  })

  it('refuses an expired request, and one from the future', async () => {
    const late = forged(
      transferRequest(world, wallet, {
        ask: { change: { issuedAt: world.now - 2 * signWithinMs, signBefore: world.now - 1 } },
      }),
    )
    await refuses(late, /expired/)
    const early = transferRequest(world, wallet, {
      ask: { change: { issuedAt: world.now + 60_000 } },
    })
    await refuses(forged(early), /future/)
  })

  it('refuses a credential that nobody knows', async () => {
    const stranger = { ...world.administrator, credential: makeCredential() }
    const evidence = transferRequest(world, wallet, { nonce: 1n, person: stranger })
    await refuses(forged(evidence), /credential is not active/)
  })

  it('refuses a request that another user of its key has signed', async () => {
    const change = { user: new Uint8Array(32).fill(9) }
    await refuses(forged(transferRequest(world, wallet, { ask: { change } })), /user is not active/)
  })

  it('refuses a request for another organization', async () => {
    const change = { organization: new Uint8Array(32).fill(9) }
    const evidence = transferRequest(world, wallet, { ask: { change } })
    await refuses(forged(evidence), /another organization/)
  })

  it('refuses a login in the place of an action', async () => {
    const evidence = transferRequest(world, wallet, { ask: { change: { purpose: 'login' } } })
    await refuses(forged(evidence), /the challenge was for something else/)
  })

  it('refuses a signature over another pre-image than the one beside it', async () => {
    const preimage = encodePreimage({
      ...decodePreimage(honest.preimage),
      nonce: new Uint8Array(randomBytes(32)),
    })
    const assertions = [assertionOf(world.administrator.credential, honest.preimage)]
    await refuses(forged({ ...honest, preimage, assertions }), /signature is not valid/)
  })

  it('refuses a fee above what the user has signed, and above the ceiling of the network', async () => {
    const dear = encodeFacts(evmFacts(1n, { maxFeePerGas: usualMaxFee / 21_000n + 1n }))
    await refuses(forged({ ...honest, facts: dear }), /above what was signed/)
    const blank = transferRequest(world, wallet, {
      ask: { maxFee: 10n ** 30n, facts: evmFacts(1n, { maxFeePerGas: 10n ** 15n }) },
    })
    await refuses(forged(blank), /ceiling/)
    const boundless = world.request({
      path: `/wallets/${wallet.name}/transfers`,
      body: JSON.parse(honest.payload),
      facts: evmFacts(1n),
    })
    await refuses(forged(boundless), /bounds no fee/)
  })

  it('refuses a raw hash on the key of a wallet', async () => {
    const raw = signatureRequest(world, wallet.key)
    await refuses(forged(raw), /effect is unknown/)
  })

  it('refuses another nonce for a request that has one', async () => {
    const again = world.draft(place, [{ kind: 'use', evidence: honest }])
    await world.certify(place, again)
    const used = honest
    honest = transferRequest(world, wallet, { nonce: 2n })
    const moved = { ...used, facts: encodeFacts(evmFacts(2n)) }
    await refuses(forged(moved), /request has been used/)
    const like = used
    await refuses(
      forge(world, place, { kind: 'renew', evidence: moved, like }),
      /signs what was agreed and nothing else/,
    )
  })

  it('refuses a slot that another request has taken', async () => {
    await refuses(forged(transferRequest(world, wallet, { nonce: 1n })), /slot is taken/)
  })

  it('refuses an external id that stands for another request', async () => {
    const body = { externalId: 'invoice 7' }
    const paid = transferRequest(world, wallet, { nonce: 2n, body })
    await world.put('use', paid, place.stream)
    const again = world.draft(place, [
      { kind: 'use', evidence: transferRequest(world, wallet, { nonce: 3n, body }) },
    ])
    await refuses(again, /external id/)
  })

  it('refuses a step whose time is not now', async () => {
    world.pass(20_000)
    for (const shift of [6_000, -6_000]) {
      world.now += shift
      const evidence = transferRequest(world, wallet, { nonce: 3n })
      const drafted = world.draft(place, [{ kind: 'use', evidence }])
      world.now -= shift
      await refuses(drafted, /time of the step is not now/)
    }
  })
})
