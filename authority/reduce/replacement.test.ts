import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf } from '@quorate/core/id'
import { slotTable } from '../records.ts'
import { keyStream } from '../stream.ts'
import { nothingLeaves } from '../testing/policies.ts'
import { Records } from '../testing/world.ts'
import type { Judging, SignablePlan } from './judging.ts'
import { excessOf, judgeReplacement } from './replacement.ts'
import { put } from './writes.ts'

const stream = keyStream(new Uint8Array(32).fill(1))
const [first, second, other] = [2, 3, 4].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
]
const network = 'Chain'
const asset = 'Chain/Native'

/** At slot 7: a transfer, and its speed-up. At slot 8: a transaction. */
function records(): Records {
  const records = new Records()
  records.apply(stream, [
    put(slotTable, [network, 7n], {
      uses: [
        { request: first, fee: 10n, effect: first },
        { request: second, fee: 12n, effect: first },
      ],
    }),
    put(slotTable, [network, 8n], { uses: [{ request: other, fee: 5n, effect: other }] }),
    put(slotTable, [network, 9n], { uses: [{ request: other, fee: 5n, effect: undefined }] }),
  ])
  return records
}

const plan = (change: Partial<SignablePlan> = {}): SignablePlan => ({
  ...{ ok: true, network, slot: 7n, slotNamed: false, fee: 15n, digests: [], messages: [] },
  outflow: { ...nothingLeaves, fee: { asset, amount: 15n } },
  replaces: { effect: first },
  ...change,
})

/** Nothing else of a judgement is looked at. */
function judging(role: string, id: Uint8Array): Judging {
  const preimage = { subjects: [{ role, id }] }
  return { step: { stream }, preimage, reader: records() } as unknown as Judging
}

function refusal(name: string, [role, id]: [string, Uint8Array], plan: SignablePlan) {
  try {
    judgeReplacement(judging(role, id), name, plan)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : assert.fail()
  }
}

const transfer = (request: Uint8Array): [string, Uint8Array] => [
  'transferId',
  idOf(request, 'transfer'),
]
const transaction = (request: Uint8Array): [string, Uint8Array] => [
  'transactionId',
  idOf(request, 'transaction'),
]
const elsewhere = 'what it is to replace is not at this slot'
const different = 'it does something else than what it is to replace'

describe('what takes the place of another', () => {
  it('stands where that one does: its slot, its network, and by its own name', () => {
    const named = 'wallets.cancelTransfer'
    const none = plan({ replaces: { effect: undefined } })
    assert.equal(refusal(named, transfer(first), none), undefined)
    assert.equal(refusal(named, transfer(first), { ...none, slot: 8n }), elsewhere)
    assert.equal(refusal(named, transfer(first), { ...none, slot: 6n }), elsewhere)
    assert.equal(refusal(named, transfer(first), { ...none, slot: undefined }), elsewhere)
    assert.equal(refusal(named, transfer(first), { ...none, network: 'Other' }), elsewhere)
    assert.equal(refusal(named, transfer(other), none), elsewhere)
    const [, id] = transfer(first)
    assert.equal(refusal('wallets.cancelTransaction', ['transactionId', id], none), elsewhere)
    assert.equal(refusal('wallets.cancelTransaction', transaction(second), none), undefined)
  })

  it('does what that one does, if it is to speed it up', () => {
    const speedUp = 'wallets.speedUpTransfer'
    assert.equal(refusal(speedUp, transfer(first), plan()), undefined)
    assert.equal(
      refusal(speedUp, transfer(first), plan({ replaces: { effect: other } })),
      different,
    )
    assert.equal(
      refusal(speedUp, transfer(first), plan({ replaces: { effect: undefined } })),
      different,
    )
    const again = 'wallets.speedUpTransaction'
    assert.equal(refusal(again, transaction(second), plan()), undefined)
    assert.equal(
      refusal(again, transaction(second), plan({ replaces: { effect: second } })),
      different,
    )
  })

  it('does nothing, if it speeds up what did nothing', () => {
    const named = 'wallets.speedUpTransaction'
    const nothing = plan({ slot: 9n, replaces: { effect: undefined } })
    assert.equal(refusal(named, transaction(other), nothing), undefined)
    assert.equal(
      refusal(named, transaction(other), { ...nothing, replaces: { effect: other } }),
      different,
    )
  })

  it('counts what it may cost more than the dearest at its slot', () => {
    const excess = (plan: SignablePlan) => excessOf(judging(...transfer(first)), plan)
    assert.deepEqual(excess(plan()), { asset, amount: 3n })
    const cheap = { ...nothingLeaves, fee: { asset, amount: 12n } }
    assert.equal(excess(plan({ outflow: cheap })), undefined)
    assert.equal(excess({ ...plan(), replaces: undefined } as unknown as SignablePlan), undefined)
  })
})
