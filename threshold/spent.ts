import assert from 'node:assert/strict'

const spent = new WeakSet<object>()

/**
 * Every state is taken further once. Two continuations of one state would answer two messages with one
 * nonce, or give a peer two bets on one choice vector: a defect of the caller, which stops here.
 */
export function spend(state: object): void {
  assert(!spent.has(state), 'this state has been taken further already')
  spent.add(state)
}
