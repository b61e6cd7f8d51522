import type { Facts } from '@quorate/effects/facts'
import { evmFacts, recipient } from '@quorate/signer/testing/uses'
import { at, attack, rule, without, type Attack, type Check, type Outcome } from '../attack.ts'
import { drive, forge, honest } from '../drive.ts'
import { sealed } from '../rounds.ts'
import type { Stage, Wallet } from '../stage.ts'
import {
  approvalBy,
  guarded,
  minuteMs,
  native,
  priced,
  priceOf,
  rule as policyRule,
  type Policy,
} from './scene.ts'

/** What the server makes up of prices and recipients, where signers have a word of their own. */

const disputes = 'policy/disputes.ts'
const asVariant = { isVariant: true }

const dollars = (limit: number, action?: object): Policy => ({
  rule: policyRule('TransactionAmountLimit', { currency: 'USD', limit }),
  ...(action && { action }),
})
const screened: Policy = { rule: { kind: 'TransactionRecipientScreening' } }
/** A hundred dollars by the price of the scene. */
const much = { amount: `${10n ** 17n}` }
const nothing = { micros: 1n }

/** As an operator writes it: `ageMs` ago, an ether was worth so much, and these were denied. */
type Own = {
  readonly price?: string
  readonly denied?: readonly string[]
  readonly ageMs?: number
}
function fileOf({ world }: Stage, { price, denied, ageMs = 0 }: Own): object {
  const wholeSecond = Math.floor((world.now - ageMs) / 1_000) * 1_000
  const heard = { source: 'desk', at: new Date(wholeSecond).toISOString().replace('.000Z', 'Z') }
  const ether = { asset: native, currency: 'USD', price, decimals: 18, ...heard }
  return {
    format: 'quorate.facts.1',
    prices: price === undefined ? [] : [ether],
    ...(denied && { denied: { ...heard, addresses: denied } }),
  }
}

const give = (stage: Stage, own: Own | undefined) => {
  for (const index of honest) stage.world.giveFacts(index, own && fileOf(stage, own))
}
const word = (of: 'Server' | 'Signer') => ({ factSources: { prices: of, screenings: of } })

/** Until the attack is over, every honest signer goes by such a file of its own, or by none. */
async function sourced(
  stage: Stage,
  own: Own | undefined,
  run: () => Promise<Outcome>,
): Promise<Outcome> {
  give(stage, own)
  await stage.settle(word('Signer'))
  const outcome = await run()
  await stage.settle(word('Server'))
  give(stage, undefined)
  return outcome
}

type Lie = {
  readonly policy: Policy
  /** What each honest signer knows. */
  readonly own: Own | undefined
  readonly said: (stage: Stage) => Facts
  readonly isVariant?: boolean
}
/** Pays under this policy on such facts. */
const lying = (name: string, check: Check, { policy, own, said, isVariant }: Lie): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const wallet = await guarded(stage, policy)
      const asked = stage.transfer(stage.admin, wallet, { facts: said(stage), body: much })
      return sourced(stage, own, () => stage.use(asked, wallet))
    },
    { isVariant: isVariant ?? false },
  )
const atNothing = (stage: Stage) => priced(stage, 0n, nothing)
const passed = (stage: Stage): Facts => ({
  ...evmFacts(0n),
  screenings: [{ address: recipient, isListed: false, source: 'none', at: stage.world.now }],
})

const departing = 'departs from a signer'
const departs = without(at(disputes, departing, 'if (departs(theirs, ours))'), [
  'if (departs(theirs, ours))',
  'if (false)',
])

const prices: readonly Attack[] = [
  lying('makes up a fresh price, by which a fortune is worth nothing', departs, {
    ...{ policy: dollars(10), own: { price: '1000' }, said: atNothing },
  }),
  lying(
    'says a price of far more of an asset than its signers do, as if it were of as much',
    without(at(disputes, departing, 'price.micros * 10n ** BigInt(other.decimals)'), [
      'price.micros * 10n ** BigInt(other.decimals)',
      'price.micros * 10n ** BigInt(other.decimals - other.decimals)',
    ]),
    {
      ...{ policy: dollars(10), own: { price: '1000' } },
      said: (stage) => priced(stage, 0n, { decimals: 30 }),
    },
  ),
  lying(
    'makes a price fresh that is of yesterday, as in the stale files of all signers',
    without(at('policy/worth.ts', 'no current price', 'return isUsable(price) && isFresh('), [
      'return isUsable(price) && isFresh(',
      'return isUsable(price) || isFresh(',
    ]),
    {
      ...{ policy: dollars(10), own: { price: '0.000001', ageMs: 25 * 60 * minuteMs } },
      said: atNothing,
    },
  ),
  lying(
    'makes a price up where the signers’ own files are missing',
    without(at(disputes, 'no current price', 'if (ours === undefined) return'), [
      'if (ours === undefined) return',
      'if (ours === undefined) continue\n    if (ours === undefined) return',
    ]),
    { policy: dollars(10), own: undefined, said: atNothing },
  ),
  attack(
    'hides a made-up price behind a payment at the right one, in one step',
    without(at('signer/fact-sources.ts', departing, 'of body.evidence.entries()'), [
      'of body.evidence.entries()',
      'of body.evidence.slice(0, 1).entries()',
    ]),
    async ({ stage }) => {
      const wallet = await guarded(stage, dollars(10))
      const place = stage.placeOf(wallet)
      const right = stage.transfer(stage.admin, wallet, { facts: priced(stage, 0n) })
      const made = { facts: priced(stage, 1n, nothing), body: much }
      const wrong = stage.transfer(stage.admin, wallet, made)
      const asked = [right, wrong].map((evidence) => ({ kind: 'use' as const, evidence }))
      const drafted = stage.world.draft(place, asked)
      return sourced(stage, { price: '1000' }, () =>
        drive(stage.world, { place, drafted, key: wallet.key }),
      )
    },
  ),
  attack(
    'opens an approval at a made-up price, so that officers need not be asked',
    departs,
    async ({ stage }) => {
      const officers = approvalBy({ quorum: 2 })
      const wallet = await guarded(stage, { action: approvalBy() }, dollars(10, officers))
      const asked = stage.transfer(stage.admin, wallet, { facts: atNothing(stage), body: much })
      const place = stage.placeOf(wallet)
      return sourced(stage, { price: '1000' }, () => stage.propose('approval', asked, { place }))
    },
    asVariant,
  ),
  attack(
    'signs a payment once more at the price of its first time, when it has become dear',
    departs,
    async ({ stage }) => {
      const wallet = await guarded(stage, dollars(10))
      const place = stage.placeOf(wallet)
      const asked = stage.transfer(stage.admin, wallet, { facts: atNothing(stage), body: much })
      await stage.put('use', asked, place)
      return sourced(stage, { price: '1000' }, () =>
        stage.propose('renew', asked, { place, key: wallet.key }),
      )
    },
    asVariant,
  ),
  attack(
    'has a payment counted for less than it is worth, under a limit over a time',
    departs,
    async ({ stage }) => {
      const limit = { currency: 'USD', limit: 10, timeframe: 60 }
      const wallet = await guarded(stage, { rule: policyRule('TransactionAmountVelocity', limit) })
      const cheap = { ...evmFacts(0n), prices: [priceOf(stage, { micros: 9n * 10n ** 7n })] }
      const asked = stage.transfer(stage.admin, wallet, { facts: cheap, body: much })
      return sourced(stage, { price: '1000' }, () => stage.use(asked, wallet))
    },
    asVariant,
  ),
]

const onList = without(
  at(disputes, 'is on a signer', 'if (listed !== undefined)'),
  ['if (listed !== undefined)', 'if (false)'],
  ['listed.address', 'listed'],
)

const recipients: readonly Attack[] = [
  lying('leaves a recipient out of its deny list whom the signers have on theirs', onList, {
    ...{ policy: screened, own: { denied: [recipient] }, said: passed },
  }),
  lying('leaves a recipient out of its deny list whom the signers have on an old one', onList, {
    ...{ policy: screened, own: { denied: [recipient], ageMs: 48 * 60 * minuteMs }, said: passed },
    isVariant: true,
  }),
  lying(
    'passes a recipient by a list of its own where the signers’ lists are missing',
    without(at(disputes, 'no deny list', 'if (denied === undefined)'), [
      'if (denied === undefined)',
      'if (denied === undefined) return undefined\n  if (denied === undefined)',
    ]),
    { policy: screened, own: { price: '1000' }, said: passed },
  ),
  lying(
    'passes a recipient whom the signers’ lists of the day before yesterday could not hold yet',
    without(at(disputes, 'deny list is stale', 'return isFresh(denied.at,'), [
      'return isFresh(denied.at,',
      'return denied.at > 0 || isFresh(denied.at,',
    ]),
    { policy: screened, own: { denied: [], ageMs: 48 * 60 * minuteMs }, said: passed },
  ),
]

/** Whose word it is says the root quorum. */
const words: readonly Attack[] = [
  attack(
    'has its word taken again by somebody who may do everything and is not of the root quorum',
    rule('settings', 'the author is not of the root quorum'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const wish = { method: 'PUT', path: '/orgs/settings', body: { settings: word('Server') } }
      return sourced(stage, undefined, () => stage.propose('settings', stage.ask(carl, wish)))
    },
    asVariant,
  ),
  attack(
    'keeps back the certificate of whose word counts, which the signers have sealed',
    without(
      at(
        'signer/judgement.ts',
        'no current price',
        'organization, sealedAtRoot(judges, organization))',
      ),
      ['organization, sealedAtRoot(judges, organization))', 'organization)'],
    ),
    async ({ stage }) => {
      const { world } = stage
      const wallet: Wallet = await guarded(stage, dollars(10))
      const asked = stage.transfer(stage.admin, wallet, { facts: atNothing(stage), body: much })
      const wish = { method: 'PUT', path: '/orgs/settings', body: { settings: word('Signer') } }
      const evidence = stage.ask(stage.admin, wish)
      const drafted = forge(world, { place: world.root, asked: [{ kind: 'settings', evidence }] })
      await sealed(stage, world.root, drafted)
      const outcome = await stage.use(asked, wallet)
      await world.certify(world.root, drafted)
      await stage.settle(word('Server'))
      return outcome
    },
  ),
]

export const misinforming: readonly Attack[] = [...prices, ...recipients, ...words]
