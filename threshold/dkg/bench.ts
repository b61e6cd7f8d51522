import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { ed25519_FROST } from '@noble/curves/ed25519.js'
import { secp256k1_FROST } from '@noble/curves/secp256k1.js'
import type { GroupName } from '../group/group.ts'
import { type Clock, measure, type Row } from '../measure.ts'
import type { Inbound, Outbound, Outcome, Party } from '../session.ts'
import { type KeyShare, partiesOf } from './context.ts'
import { startDkg } from './round1.ts'
import { type DkgState, dkgStep } from './step.ts'

type Size = { readonly n: number; readonly t: number }
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

export function benchDkg(runs: number, sizes: readonly Size[]): readonly Row[] {
  return sizes.flatMap(({ n, t }) => {
    const label = `${t}-of-${n}`
    const ours = (['secp256k1', 'ed25519', 'stark'] as const).map((group) =>
      measure(`DKG ${group} ${label}`, runs, (clock) => generate(group, { n, t }, clock)),
    )
    const few = Math.ceil(runs / 5)
    return [
      ...ours,
      measure(`  noble DKG ed25519 ${label}`, few, (clock) =>
        noble(ed25519_FROST, { n, t }, clock),
      ),
      measure(`  noble DKG secp256k1 ${label}`, few, (clock) =>
        noble(secp256k1_FROST, { n, t }, clock),
      ),
    ]
  })
}

function generate(group: GroupName, { n, t }: Size, clock: Clock): void {
  const sid = random(32)
  const parties = partiesOf({ n })
  let outcomes = new Map<Party, Outcome<DkgState, KeyShare>>(
    parties.map((self) => [self, clock(self, () => startDkg({ group, self, n, t, sid }, random))]),
  )
  while ([...outcomes.values()].some(({ kind }) => kind === 'next')) {
    const sent = outcomes
    outcomes = new Map()
    for (const [self, outcome] of sent) {
      assert(outcome.kind === 'next')
      const inbox = inboxOf(self, sent)
      outcomes.set(
        self,
        clock(self, () => dkgStep(outcome.state, inbox)),
      )
    }
  }
  assert([...outcomes.values()].every(({ kind }) => kind === 'done'))
}

function inboxOf(
  self: Party,
  sent: ReadonlyMap<Party, Outcome<DkgState, KeyShare>>,
): readonly Inbound[] {
  const isFor = (from: Party, { to }: Outbound): boolean =>
    to === '*' ? from !== self : to === self
  return [...sent].flatMap(([from, outcome]) =>
    outcome.kind === 'next'
      ? outcome.out.filter((message) => isFor(from, message)).map((m) => ({ from, ...m }))
      : [],
  )
}

/** Without echo, commitment round or transcript, which noble leaves to its caller. */
function noble(frost: typeof ed25519_FROST, { n, t }: Size, clock: Clock): void {
  const parties = partiesOf({ n })
  const id = frost.Identifier.fromNumber
  const first = new Map(
    parties.map((self) => [
      self,
      clock(self, () => frost.DKG.round1(id(self), { min: t, max: n })),
    ]),
  )
  const others = (self: Party) =>
    [...first].filter(([party]) => party !== self).map(([, message]) => message.public)
  const own = (self: Party) => {
    const message = first.get(self)
    assert(message)
    return message.secret
  }
  const second = new Map(
    parties.map((self) => [self, clock(self, () => frost.DKG.round2(own(self), others(self)))]),
  )
  for (const self of parties) {
    const shares = [...second].flatMap(([from, sent]) => {
      const share = sent[id(self)]
      return from === self || share === undefined ? [] : [share]
    })
    clock(self, () => frost.DKG.round3(own(self), others(self), shares))
  }
}
