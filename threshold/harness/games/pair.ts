import { equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import type { PairState } from '../../ecdsa/pair.ts'
import {
  commit,
  pairMessages,
  type PairSetup,
  pairSetupStep,
  startPairSetup,
} from '../../ecdsa/pair-setup.ts'
import { leafCount, leafSize, treeCount } from '../../ecdsa/parameters.ts'
import { named, seeded } from '../../ecdsa/testing/parties.ts'
import type { Delivery, End, Field, Game, Message, Reactions, Verdict } from '../game.ts'

const reactions: Reactions = {
  inbox: 'names',
  malformed: 'names',
  commitment: 'names',
  'base transfer': 'names',
  confirmation: 'names',
  tree: 'burns',
  'no pair': 'nobody',
  // The corrupt one has spoilt its own half, as it could at any time: nothing of this one's is known.
  'halves that do not fit': 'nobody',
}

const [firstMessage, secondMessage, thirdMessage] = pairMessages
const tag: Field = { kind: 'tag', ends: ['malformed'] }
/** One word differs: the other side's epoch does, or else what was derived with it. */
const apart = ['confirmation', 'halves that do not fit']
const whole = ['inbox', 'malformed', 'commitment', 'base transfer', 'tree', ...apart]

const messages: Readonly<Record<string, Message>> = {
  first: {
    codec: firstMessage,
    fields: {
      format: tag,
      commitment: { kind: 'hash', ends: ['commitment'] },
      exchange: { kind: 'elements', ends: ['base transfer', 'halves that do not fit'] },
      offers: { kind: 'elements', ends: ['base transfer', 'tree'] },
      // The liar's own trees may not open under what it has made of its slots: then it falls silent.
      slots: { kind: 'elements', ends: ['base transfer', 'inbox', 'halves that do not fit'] },
    },
    ends: whole,
  },
  second: {
    codec: secondMessage,
    fields: {
      format: tag,
      nonce: { kind: 'hash', ends: ['commitment', ...apart] },
      salt: { kind: 'hash', ends: ['commitment', 'good'] },
      // A bet on Δ, which is won or lost: the scripted attackers measure how often.
      corrections: { kind: 'bits', ends: ['tree', 'good'] },
      sums: { kind: 'bits', ends: ['tree'] },
      proof: { kind: 'hash', ends: ['tree'] },
    },
    ends: whole,
  },
  third: {
    codec: thirdMessage,
    fields: {
      format: { kind: 'tag', ends: ['confirmation'] },
      confirmation: { kind: 'hash', ends: ['confirmation'] },
    },
    ends: ['inbox', 'confirmation'],
  },
}

/** The setup of a pair of parties 1 and 2; by another name it is another one. */
export function pairGame(name = 'a setup'): Game<PairSetup> {
  const sid = named(name)
  return {
    name: 'pair setup',
    parties: [1, 2],
    messages,
    nameOf: ({ round }) => ['first', 'second', 'third'][round - 1] ?? '',
    reactions,
    start: () =>
      new Map(
        [1, 2].map((self) => [
          self,
          startPairSetup({ self, peer: 3 - self, sid }, seeded(`${name} ${self}`)),
        ]),
      ),
    step: (state, inbox) => pairSetupStep({ ...state }, inbox),
    believe: (state, { body }) => (state.awaits === 3 ? state : { ...state, sent: body }),
    rebind: (lie, other) => recommitted(sid, lie, other),
    judge,
  }
}

function recommitted(sid: Uint8Array, lie: Delivery, other: Delivery): Uint8Array | undefined {
  if (lie.round !== 2 || other.round !== 1) return undefined
  try {
    const context = { self: lie.from, peer: lie.receiver, sid }
    const commitment = commit(context, lie.from, decode(secondMessage, lie.body))
    return encode(firstMessage, { ...decode(firstMessage, other.body), commitment })
  } catch {
    // What is no message opens nothing.
    return undefined
  }
}

function judge({ honest, corrupt }: End): Verdict {
  const [mine, theirs] = [...honest.values(), ...corrupt.values()].map((ending) =>
    ending.kind === 'done' ? (ending.result as PairState) : undefined,
  )
  if (mine === undefined) return { kind: 'refused', reason: 'no pair', culprits: [] }
  return theirs !== undefined && areHalves(mine, theirs) && areHalves(theirs, mine)
    ? { kind: 'good' }
    : { kind: 'refused', reason: 'halves that do not fit', culprits: [] }
}

/** One knows all leaves of every tree, the other all but the one that its Δ names. */
function areHalves(a: PairState, b: PairState): boolean {
  const seeds = ['epoch', 'zeroSeed', 'gadgetSeed'] as const
  if (!seeds.every((seed) => equalBytes(a[seed], b[seed]))) return false
  for (let tree = 0; tree < treeCount; tree++) {
    const missing = ((b.sender.delta[tree >>> 2] ?? 0) >>> (2 * (tree & 3))) & 3
    for (let place = 1; place < leafCount; place++) {
      const [mine, theirs] = [
        tree * leafCount + (missing ^ place),
        tree * (leafCount - 1) + place - 1,
      ]
      if (!equalBytes(leafAt(a.receiver, mine), leafAt(b.sender.leaves, theirs))) return false
    }
  }
  return true
}

function leafAt(leaves: Uint8Array, index: number): Uint8Array {
  return leaves.subarray(index * leafSize, (index + 1) * leafSize)
}
