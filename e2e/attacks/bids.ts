import type { WholeEvidence } from '@quorate/authority/step'
import { encodeFacts, type AccountSignature, type SponsorshipFacts } from '@quorate/effects/facts'
import { evmFacts } from '@quorate/signer/testing/uses'
import { at, attack, rule, without, type Attack, type Outcome } from './attack.ts'
import { asked, around, changed, inOrder, newScene, type Scene } from './sponsors.ts'
import { made, type Stage } from './stage.ts'

/** What a server may try with what outbids a sponsor's transactions, which nobody signs for anew. */

const gwei = 10n ** 9n
const gas = 100_000n
const asVariant = { isVariant: true }
/** Of the first one, in the stream of a sponsor that nothing else was paid by. */
const slot = 0n
const secondMs = 1_000

type Ready = readonly [WholeEvidence, AccountSignature]

/** Something that is paid for, and stands at nonce 0 for twenty gwei. */
async function sent(stage: Stage, limits: object = {}, preimage: object = {}) {
  const scene = await newScene(stage, { limits })
  const ready = await inOrder(stage, scene, { preimage })
  await putAt(stage, scene, ready, {})
  return { scene, ready }
}

type Bid = Partial<SponsorshipFacts> & { readonly bid?: number }

function bidOn([evidence, inner]: Ready, facts: Partial<SponsorshipFacts>): WholeEvidence {
  return around(evidence, inner, { nonce: slot, maxFeePerGas: 25n * gwei, ...facts })
}

async function putAt(
  stage: Stage,
  { payer }: Scene,
  ready: Ready,
  { bid, ...facts }: Bid,
): Promise<void> {
  const offer = { maxFeePerGas: bid === undefined ? 20n * gwei : 25n * gwei, ...facts }
  await stage.put('sponsor', bidOn(ready, offer), stage.placeOf(payer), bid)
}

/** To the signature if there is a way. */
function outbid(
  stage: Stage,
  { payer }: Scene,
  ready: Ready,
  { bid = 1, ...facts }: Bid = {},
): Promise<Outcome> {
  const proposing = { place: stage.placeOf(payer), key: payer.key, bid }
  return stage.propose('sponsor', bidOn(ready, facts), proposing)
}

/** Nothing, at the nonce of what can run no more. */
function fill(
  stage: Stage,
  { payer }: Scene,
  evidence: WholeEvidence,
  nonce = slot,
): Promise<Outcome> {
  const facts = encodeFacts(evmFacts(nonce, { maxFeePerGas: 25n * gwei }))
  const proposing = { place: stage.placeOf(payer), key: payer.key, bid: 1 }
  return stage.propose('sponsor', { ...evidence, facts }, proposing)
}

/** One whose time is soon over. */
async function soonOver(stage: Stage) {
  const executeBefore = stage.world.now + secondMs
  return sent(stage, {}, { executeBefore, signBefore: executeBefore })
}

/** What is in order by the very messages that fail below. */
export async function outbidInOrder(stage: Stage): Promise<readonly Outcome[]> {
  const first = await sent(stage)
  const outcomes = [await outbid(stage, first.scene, first.ready)]
  const { scene, ready } = await soonOver(stage)
  stage.world.pass(2 * secondMs)
  return [...outcomes, await fill(stage, scene, ready[0])]
}

const elsewhere = rule('outbidding', 'what it is to outbid is not at this slot')
const perOperation = rule('sponsorship', 'the fee is above what the sponsor pays for an operation')
const perDay = rule('sponsorship', 'the fee is above what the sponsor pays in a day')
const perUser = rule('sponsorship', 'the fee is above what the sponsor pays for a user in a day')

const places: readonly Attack[] = [
  attack(
    'outbids what a sponsor has sent at a nonce that is free, to have it pay twice',
    elsewhere,
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      return outbid(stage, scene, ready, { nonce: slot + 1n })
    },
  ),
  attack(
    'outbids what a sponsor has sent by other operations that were signed too',
    elsewhere,
    async ({ stage }) => {
      const { scene } = await sent(stage)
      return outbid(stage, scene, await inOrder(stage, scene, { amount: '2' }))
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent by what it has sent at another nonce',
    elsewhere,
    async ({ stage }) => {
      const { scene } = await sent(stage)
      const other = await inOrder(stage, scene, { amount: '2' })
      await putAt(stage, scene, other, { nonce: slot + 1n })
      return outbid(stage, scene, other)
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent by operations that nobody has signed',
    rule('author', 'the payload is not the one that was signed'),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      const [evidence, inner] = ready
      const payload = evidence.payload.replace('0x11', '0x66')
      return outbid(stage, scene, [{ ...evidence, payload }, inner])
    },
    asVariant,
  ),
  attack(
    'has two outbid what a sponsor has sent under one name, of which one counts',
    rule('sponsorship', 'the request has been used'),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      await putAt(stage, scene, ready, { bid: 1 })
      return outbid(stage, scene, ready, { maxFeePerGas: 30n * gwei })
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent though it was switched off since',
    rule('sponsor', 'the fee sponsor is not active'),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      await changed(stage, scene.sponsor, 'deactivate')
      return outbid(stage, scene, ready)
    },
    asVariant,
  ),
]

const costs: readonly Attack[] = [
  attack(
    'outbids what a sponsor has sent for more than it pays for an operation',
    perOperation,
    async ({ stage }) => {
      const { scene, ready } = await sent(stage, { perOperation: `${24n * gwei * gas}` })
      return outbid(stage, scene, ready)
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent beyond what is left of its day',
    perDay,
    async ({ stage }) => {
      const { scene, ready } = await sent(stage, { perDay: `${24n * gwei * gas}` })
      return outbid(stage, scene, ready)
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent beyond what is left of its user’s day',
    perUser,
    async ({ stage }) => {
      const { scene, ready } = await sent(stage, { perUserPerDay: `${24n * gwei * gas}` })
      return outbid(stage, scene, ready)
    },
    asVariant,
  ),
  attack(
    'outbids what a sponsor has sent again and again, each time by a little that no limit counts',
    without(rule('sponsorship', 'in a day', 'if (more <= 0n && judging.bid > 0) return []'), [
      'if (more <= 0n && judging.bid > 0) return []',
      'if (judging.bid > 0) return []',
    ]),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage, { perDay: `${28n * gwei * gas}` })
      await putAt(stage, scene, ready, { bid: 1 })
      return outbid(stage, scene, ready, { bid: 2, maxFeePerGas: 30n * gwei })
    },
  ),
  attack(
    'has a sponsor outbid itself for more than the user has signed for',
    at('judge/rules.ts', 'the fee is above what was signed'),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      return outbid(stage, scene, ready, { maxFeePerGas: 101n * gwei })
    },
    asVariant,
  ),
]

const inTime = 'return isArchived || step.time > preimage.executeBefore'
const forEver = "?.status === 'archived'"
const fills: readonly Attack[] = [
  attack(
    'fills the nonce of a sponsor while what it has sent there may still be carried out',
    without(rule('sponsor', 'the facts are not those needed', inTime), [inTime, 'return true']),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      return fill(stage, scene, ready[0])
    },
  ),
  attack(
    'fills the nonce of a sponsor that is switched off, and may be switched on again in time',
    without(rule('sponsor', 'the fee sponsor is not active', forEver), [
      forEver,
      "?.status !== 'active'",
    ]),
    async ({ stage }) => {
      const { scene, ready } = await sent(stage)
      await changed(stage, scene.sponsor, 'deactivate')
      return fill(stage, scene, ready[0])
    },
  ),
  attack(
    'has operations signed as what only fills a nonce, once nobody looks who has asked for them',
    without(
      at('judge/rules.ts', 'the facts are not those needed', 'const planned = fills'),
      ['const planned = fills', 'const planned = false'],
      ['const read = fills ?', 'const read = false ?'],
    ),
    async ({ stage }) => {
      const { scene, ready } = await soonOver(stage)
      stage.world.pass(2 * secondMs)
      return outbid(stage, scene, ready)
    },
  ),
  attack(
    'fills a nonce of a sponsor for a request that nobody has signed',
    elsewhere,
    async ({ stage }) => {
      const executeBefore = stage.world.now + secondMs
      const scene = await newScene(stage)
      const evidence = asked(stage, scene, {
        preimage: { executeBefore, signBefore: executeBefore },
      })
      stage.world.pass(2 * secondMs)
      return fill(stage, scene, { ...evidence, assertions: [] })
    },
    asVariant,
  ),
  attack(
    'fills a free nonce of a sponsor for what it has sent at another one',
    elsewhere,
    async ({ stage }) => {
      const { scene, ready } = await soonOver(stage)
      stage.world.pass(2 * secondMs)
      return fill(stage, scene, ready[0], slot + 1n)
    },
    asVariant,
  ),
  attack(
    'fills the nonce of a sponsor in an organization that is frozen',
    rule('outbidding', 'the organization is frozen'),
    async ({ stage }) => {
      const { scene, ready } = await soonOver(stage)
      stage.world.pass(2 * secondMs)
      const wish = { path: '/orgs/freezes', body: {}, ids: {} }
      const freeze = made(await stage.put('freeze', stage.ask(stage.admin, wish)), 'freeze')
      const outcome = await fill(stage, scene, ready[0])
      const [path, ids] = [`/orgs/freezes/${freeze.name}`, { freezeId: freeze.id }]
      await stage.put('freeze', stage.ask(stage.admin, { method: 'DELETE', path, body: {}, ids }))
      return outcome
    },
  ),
]

export const bids: readonly Attack[] = [...places, ...costs, ...fills]
