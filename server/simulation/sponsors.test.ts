import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { requestHash, sponsorshipHash } from '@quorate/authority/request'
import { executionWindowMs } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { bytesToBig } from '@quorate/core/bytes'
import { encodeFacts } from '@quorate/effects/facts'
import { operationAt } from '../coordinator/streams.ts'
import { findSponsor } from '../sponsorships/sponsor.ts'
import { simulatedCoordinator } from './coordinator.ts'
import { openPlace } from './simulate.ts'
import { changeSponsor, makeSponsor, type SimulatedSponsor } from './sponsors.ts'
import type { SimulatedWallet } from './wishes.ts'
import { World } from './world.ts'

const gwei = 10n ** 9n

describe('a fee sponsor of a simulated world', () => {
  let place: Awaited<ReturnType<typeof openPlace>>
  let world: World
  let coordinator: ReturnType<typeof simulatedCoordinator>
  let [payer, account]: SimulatedWallet[] = []
  let sponsor: SimulatedSponsor | undefined
  before(async () => {
    place = await openPlace()
    const shape = { seed: 'sponsors', servers: 0, nodes: 1, wallets: 2 }
    world = new World({ ...shape, connections: place.connections })
    await world.open()
    const { schedule, signers, database } = world
    coordinator = simulatedCoordinator({ schedule, signers, database, now: () => world.time })
    ;[payer, account] = world.wallets
    sponsor = await makeSponsor(world, there(payer), { perDay: '7' })
  })
  after(() => place.close())

  const found = (id: Uint8Array) => {
    const { client, database } = world
    return findSponsor({ database, log: coordinator }, client, id)
  }

  it('is found by a server, with the wallet that it pays from and its limits', async () => {
    const { id } = there(sponsor)
    const { record, wallet } = await found(id)
    assert.equal(wallet.wallet_id, there(payer).walletId)
    const none = { perOperation: undefined, perUserPerDay: undefined }
    assert.deepEqual(record.limits, { ...none, perDay: 7n })
    const rows = await world.database.selectFrom('fee_sponsors').selectAll().execute()
    assert.deepEqual(
      rows.map((row) => [row.id, row.wallet]),
      [[id, wallet.id]],
    )
  })

  it('is found as it was changed, until it is archived and its wallet is another one’s', async () => {
    const { id } = there(sponsor)
    await changeSponsor(world, there(sponsor), {})
    await changeSponsor(world, there(sponsor), 'deactivate')
    const { status, limits } = (await found(id)).record
    assert.deepEqual([status, limits.perDay], ['deactivated', undefined])
    await assert.rejects(makeSponsor(world, there(payer)), /request.refused/)
    await changeSponsor(world, there(sponsor), 'archive')
    sponsor = await makeSponsor(world, there(payer))
    assert.equal((await found(id)).record.status, 'archived')
    assert.equal((await found(sponsor.id)).record.status, 'active')
  })

  it('pays by the step that signers have agreed on long ago, renewed, in every bid', async () => {
    const { client, signers } = world
    const { organization } = client
    const body = { kind: 'Native', to: there(account).address, amount: '5' }
    const evidence = client.evidence({
      path: `/wallets/${there(account).walletId}/transfers`,
      body: { ...body, feeSponsorId: there(sponsor).name },
      ...{ maxFee: 10n ** 16n, now: world.time },
    })
    const { key } = there(account)
    const asked = { ...evidence, facts: encodeFacts({ family: 'sponsored' }) }
    const [first] = (await coordinator.sign({ organization, key, evidence: asked })).signatures
    const { r, s, recid } = first?.scheme === 'ECDSA' ? first : assert.fail()
    const inner = { r: bytesToBig(r), s: bytesToBig(s), yParity: recid === 0 ? 0 : 1 } as const
    for (const bid of [0, 1]) {
      const facts = encodeFacts({
        ...{ family: 'sponsorship', nonce: 3n, gasLimit: 100_000n, inner },
        ...{ maxFeePerGas: BigInt(bid + 2) * gwei, maxPriorityFeePerGas: gwei },
      })
      const paid = { kind: 'sponsor', evidence: { ...evidence, facts }, bid } as const
      const stream = keyStream(there(payer).key)
      // As if a server had died before it had heard of it.
      const { certified } = signers.agree({ organization, stream }, paid, world.time)
      world.time += executionWindowMs + 1
      const signed = await coordinator.sign({ organization, key: there(payer).key, ...paid })
      const name = sponsorshipHash(requestHash(evidence.preimage), bid)
      const standing = there(await coordinator.stepOf(organization, name))
      assert.equal(operationAt(standing).kind, 'sponsorRenewal')
      assert.deepEqual([signed.slot, signed.seq > certified.seq], [3n, true])
    }
  })
})

function there<T>(one: T | undefined): T {
  return one ?? assert.fail('there is no such thing')
}
