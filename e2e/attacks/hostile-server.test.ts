import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { WholeEvidence } from '@quorate/authority/step'
import { encodeFacts } from '@quorate/effects/facts'
import { createKey, type Key } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { makeCredential, withPayload } from '@quorate/signer/testing/requests'
import {
  evmFacts,
  forge,
  signatureRequest,
  transferRequest,
  usualMaxFee,
} from '@quorate/signer/testing/uses'
import { attempt, type Outcome } from './testing/attempt.ts'
import { openPayer, type Payer } from './testing/payer.ts'

/**
 * The server, its database, the network and one signer against the three other signers, which are
 * the real processes. In each test the same messages that bring a signature out when all is in
 * order bring none when one thing is not.
 */
describe('a hostile server, in league with a signer,', () => {
  let payer: Payer
  let world: Payer['world']
  let wallet: Payer['wallet']
  let place: Payer['place']
  /** The next free nonce of the wallet. */
  let nonce = 0n

  before(async () => {
    payer = await openPayer()
    ;({ world, wallet, place } = payer)
  })
  after(() => payer?.close())

  const asked = (at = nonce) => payer.asked(at)
  const drafted = (evidence: WholeEvidence) => payer.drafted(evidence)
  const forged = (evidence: WholeEvidence, like = asked()) =>
    forge(world, place, { kind: 'use', evidence, like })
  const attack = (one: Drafted) => attempt(world, { place, drafted: one, key: wallet.key })

  /** That the very same messages sign, once what they carry is in order. */
  async function signs(evidence = asked()): Promise<Drafted> {
    const one = drafted(evidence)
    const outcome = await attack(one)
    assert.deepEqual(outcome.refusals, [])
    assert.ok(outcome.signature, 'the same messages sign what is in order')
    nonce += 1n
    return one
  }

  function refused(outcome: Outcome, reason: RegExp): void {
    assert.equal(outcome.votes, 1, 'no honest signer votes')
    assert.equal(outcome.seals, 1, 'nor seals')
    assert.equal(outcome.lastRounds, 0, 'nor gives a last round')
    assert.equal(outcome.signature, undefined)
    assert.match(outcome.refusals.join('\n'), reason)
  }

  it('gets a signature for what a user asked for and the rules allow', async () => {
    await signs()
  })

  it('gets none for another payload than the signed one', async () => {
    const dearer = withPayload(asked(), (body) => ({ ...body, amount: '1000000' }))
    refused(await attack(forged(dearer)), /payload is not the one that was signed/)
    const mine = withPayload(asked(), (body) => ({ ...body, to: `0x${'66'.repeat(20)}` }))
    refused(await attack(forged(mine)), /payload is not the one that was signed/)
    await signs()
  })

  it('gets none for a valid session under a wrong authorization', async () => {
    const evidence = asked()
    const [assertion] = evidence.assertions
    assert.ok(assertion)
    const bent = assertion.signature.with(9, 1 ^ (assertion.signature[9] ?? 0))
    const assertions = [{ ...assertion, signature: bent }]
    refused(await attack(forged({ ...evidence, assertions })), /signature is not valid/)
    const stranger = { ...world.administrator, credential: makeCredential() }
    const unknown = transferRequest(world, wallet, { nonce, person: stranger })
    refused(await attack(forged(unknown)), /credential is not active/)
    await signs(evidence)
  })

  it('gets none for a request that expired, or is of the future', async () => {
    const at = (issuedAt: number, signBefore: number) =>
      transferRequest(world, wallet, { nonce, ask: { change: { issuedAt, signBefore } } })
    const { now } = world
    refused(await attack(forged(at(now - 1_200_000, now - 600_000))), /expired/)
    refused(await attack(forged(at(now + 600_000, now + 1_200_000))), /future/)
    await signs()
  })

  it('gets none for a fee above what was signed, or above the ceiling of the network', async () => {
    const evidence = asked()
    const dear = evmFacts(nonce, { maxFeePerGas: usualMaxFee / 21_000n + 1n })
    const overpaid = forged({ ...evidence, facts: encodeFacts(dear) })
    refused(await attack(overpaid), /above what was signed/)
    const blank = transferRequest(world, wallet, {
      ask: { maxFee: 10n ** 30n, facts: evmFacts(nonce, { maxFeePerGas: 10n ** 15n }) },
    })
    refused(await attack(forged(blank)), /ceiling/)
    await signs(evidence)
  })

  it('gets no second signature with another nonce for the same request', async () => {
    const paid = asked()
    await signs(paid)
    const again = { ...paid, facts: encodeFacts(evmFacts(nonce)) }
    refused(await attack(forged(again)), /request has been used/)
    const renewed = forge(world, place, { kind: 'renew', evidence: again, like: paid })
    refused(await attack(renewed), /signs what was agreed and nothing else/)
    const renewal = world.draft(place, [{ kind: 'renew', evidence: paid }])
    assert.ok((await attack(renewal)).signature, 'the same bytes may be signed again')
  })

  it('gets no second payment at a nonce that is taken', async () => {
    const taken = nonce
    await signs()
    refused(await attack(forged(asked(taken))), /slot is taken/)
  })

  describe('with a wallet that was allowed raw hashes yesterday', () => {
    let key: Key
    let at: Place
    const raw = () => world.draft(at, [{ kind: 'use', evidence: signatureRequest(world, key) }])
    const ask = (one: Drafted, given: object = {}) =>
      attempt(world, { place: at, drafted: one, key, ...given })

    before(async () => {
      key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
      at = world.keyPlace(key.id)
    })

    it('gets none from a stale log, though it never told one signer of today', async () => {
      assert.ok((await ask(raw())).signature, 'yesterday it signs')
      const stale = raw()
      const evidence = world.request({
        path: '/wallets',
        body: { network: 'EthereumSepolia', signingKey: { id: key.name } },
      })
      world.know(evidence, 'wallet', 'key')
      const today = world.draft(world.root, [{ kind: 'wallet', evidence }])
      const told = await attempt(world, {
        ...{ place: world.root, drafted: today, key },
        shown: [1, 2],
      })
      assert.equal(told.seals, 3, 'the change is in force with two honest signers and the corrupt')
      const outcome = await ask(stale, { quorum: [1, 3] })
      assert.match(outcome.refusals.join('\n'), /effect is unknown/)
      assert.equal(outcome.votes, 2, 'the one that was not told votes, and the corrupt one')
      assert.equal(outcome.seals, 1)
      assert.equal(outcome.lastRounds, 0)
      assert.ok(told.certificate)
      await world.adopt(3, world.root, { certificate: told.certificate, step: today.step })
    })
  })
})
