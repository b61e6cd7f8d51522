import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import { after, type Event, isAtRest, type State, states, statusOf, unsigned } from './lifecycle.ts'

const events: readonly Event[] = [
  ...(['takeSlot', 'prepare', 'loseSlot', 'sign', 'send', 'include', 'confirm'] as const),
  ...(['revert', 'displace', 'lapse', 'refuse', 'expire', 'outbid', 'again'] as const),
  ...(['pass', 'hold', 'release', 'reject', 'abort'] as const),
]

function reachable(from: State): ReadonlySet<State> {
  const found = new Set<State>()
  const open = [from]
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const event of events) {
      const to = next(state, event)
      if (to === undefined || found.has(to)) continue
      found.add(to)
      open.push(to)
    }
  return found
}

function next(state: State, event: Event): State | undefined {
  try {
    return after(state, event)
  } catch (error) {
    if (isFailure(error, 'transfer.wrong_state')) return undefined
    throw error
  }
}

describe('the life of outgoing money', () => {
  it('goes the whole way, and nowhere that is not in the table', () => {
    const way = ['takeSlot', 'prepare', 'sign', 'send', 'include', 'confirm'] as const
    assert.equal(way.reduce<State>(after, 'requested'), 'confirmed')
    assert.throws(
      () => after('requested', 'sign'),
      (error) => isFailure(error, 'transfer.wrong_state'),
    )
    assert.throws(
      () => after('confirmed', 'toString' as Event),
      (error) => isFailure(error),
    )
  })

  it('is executing from when nobody is asked any more until it is broadcasted', () => {
    for (const state of states) {
      const to = next(state, 'loseSlot') ?? next(state, 'release') ?? next(state, 'pass')
      if (to !== undefined) assert.equal(statusOf(to), 'Executing', state)
    }
    for (const state of ['slotted', 'prepared', 'signed'] as const)
      assert.equal(statusOf(state), 'Executing')
  })

  it('waits for an approval without being anywhere, and begins anew when it has it', () => {
    assert.equal((['pass'] as const).reduce<State>(after, 'asked'), 'requested')
    for (const state of states) {
      const to = next(state, 'hold')
      if (to === undefined) continue
      assert.ok(unsigned.has(state), state)
      assert.equal(next(to, 'release'), 'requested')
      assert.equal(statusOf(next(to, 'reject') ?? to), 'Rejected')
    }
    const pending = states.filter((state) => statusOf(state) === 'Pending')
    assert.deepEqual(pending, ['asked', 'held'])
    assert.ok(isAtRest('rejected') && !isAtRest('held'))
  })

  it('is ended by nobody but the chain once bytes are signed', () => {
    for (const state of states) {
      if (unsigned.has(state)) continue
      assert.equal(next(state, 'refuse'), undefined, state)
      assert.equal(next(state, 'expire'), undefined, state)
      assert.equal(next(state, 'loseSlot'), undefined, state)
    }
  })

  it('is given up by its user only while the signers have been asked for nothing, or said no', () => {
    const abortable = states.filter((state) => next(state, 'abort') !== undefined)
    assert.deepEqual(abortable, ['requested', 'slotted', 'prepared'])
    for (const state of abortable) assert.equal(statusOf(state), 'Executing')
    assert.equal(statusOf('aborted'), 'Failed')
  })

  it('never goes back to where it could be signed for another slot', () => {
    for (const state of states) {
      if (unsigned.has(state) || isAtRest(state)) continue
      for (const to of reachable(state)) assert.ok(!unsigned.has(to), `${state} leads to ${to}`)
    }
  })

  it('is put back by a reorganization from wherever a block had put it', () => {
    for (const state of ['included', 'confirmed', 'reverted'] as const)
      assert.equal(after(state, 'displace'), 'broadcasted')
  })

  it('has failed for the world only where nothing more can happen by itself', () => {
    for (const state of states)
      if (statusOf(state) === 'Failed' && state !== 'reverted')
        assert.deepEqual([...reachable(state)], [], state)
  })
})
