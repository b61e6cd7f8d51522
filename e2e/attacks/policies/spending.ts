import { lockOf } from '@quorate/authority/agreement/messages'
import type { WholeEvidence } from '@quorate/authority/step'
import { encodeFacts, type Facts } from '@quorate/effects/facts'
import { evmFacts, recipient, usualMaxFee } from '@quorate/signer/testing/uses'
import { some, toldAnswer } from '@quorate/signer/testing/world'
import { enough, voter } from '../agreement.ts'
import { at, attack, type Attack, type Check } from '../attack.ts'
import type { Cast } from '../cast.ts'
import { corrupt, drive, forgeTogether, honest, statedBy, watched } from '../drive.ts'
import type { Stage, Wallet } from '../stage.ts'
import {
  blocked,
  guarded,
  lay,
  minuteMs,
  native,
  on,
  priced,
  priceOf,
  rule,
  transaction,
  type Policy,
} from './scene.ts'

/** Limits over a time, and what somebody says of prices and recipients. */

const rules = 'policy/rules.ts'
const worth = 'policy/worth.ts'
const spent = 'authority/reduce/spending.ts'
const asVariant = { isVariant: true }

/** Of a plain transfer, at the price that the server chooses. */
const fee = 21_000n * 20n * 10n ** 9n
const timeframe = 60
const perHour = (most: bigint): Policy => ({
  rule: rule('TransactionAssetVelocity', { asset: native, limit: `${most}`, timeframe }),
})
const timesPerHour = (most: number): Policy => ({
  rule: rule('TransactionCountVelocity', { limit: most, timeframe }),
})
const dollars = (most: number): Policy => ({
  rule: rule('TransactionAmountLimit', { currency: 'USD', limit: most }),
})
const dollarsPerHour = (most: number): Policy => ({
  rule: rule('TransactionAmountVelocity', { currency: 'USD', limit: most, timeframe }),
})
const screened: Policy = { rule: { kind: 'TransactionRecipientScreening' } }

type Payment = (stage: Stage, nonce: bigint) => Facts
const unpriced: Payment = (_, nonce) => evmFacts(nonce)
/** A million dollars for an ether, and so 420 for a transfer's fee: limits are in whole dollars. */
const dear = { micros: 10n ** 12n }
const atPrice: Payment = (stage, nonce) => priced(stage, nonce, dear)

async function pay(stage: Stage, wallet: Wallet, facts: Facts & { nonce: bigint }) {
  const evidence = stage.transfer(stage.admin, wallet, { facts })
  await stage.put('use', evidence, stage.placeOf(wallet))
}
const evm = (facts: Facts) => {
  if (facts.family !== 'evm') throw new Error('facts of another family')
  return facts
}

/** Pays so often as the limit allows, and once more. */
const again = (
  name: string,
  check: Check,
  policy: Policy,
  { before = 1, facts = unpriced }: { readonly before?: number; readonly facts?: Payment } = {},
): Attack =>
  attack(name, check, async ({ stage }) => {
    const wallet = await guarded(stage, policy)
    for (let i = 0; i < before; i++) await pay(stage, wallet, evm(facts(stage, BigInt(i))))
    const last = facts(stage, BigInt(before))
    return stage.use(stage.transfer(stage.admin, wallet, { facts: last }), wallet)
  })

/** Does something before the policy is laid down, of which that cannot tell what it was. */
const unseen = (
  name: string,
  check: Check,
  policy: Policy,
  first: (stage: Stage, wallet: Wallet) => WholeEvidence,
): Attack =>
  attack(name, check, async ({ stage }) => {
    const wallet = await guarded(stage)
    await stage.put('use', first(stage, wallet), stage.placeOf(wallet))
    await lay(stage, { ...policy, filters: on(wallet) })
    const last = stage.transfer(stage.admin, wallet, { facts: priced(stage, 1n, dear) })
    return stage.use(last, wallet)
  })
const cheap = (stage: Stage, wallet: Wallet) =>
  stage.transfer(stage.admin, wallet, { facts: evmFacts(0n) })
const dark = (stage: Stage, wallet: Wallet) =>
  transaction(stage, wallet, { to: recipient, data: '0x12345678' })

const split: readonly Attack[] = [
  again(
    'splits a payment into several, each within the limit',
    blocked(rules, 'const value = spending.asset(asset, since) +', 'const value ='),
    perHour(fee + fee / 2n),
  ),
  again(
    'splits a payment into three, of which each sees the one before',
    blocked(spent, 'amount: before + amount', 'amount'),
    perHour(2n * fee + fee / 2n),
    { before: 2 },
  ),
  again(
    'drains a wallet by the fees of many payments that are next to nothing',
    blocked(
      spent,
      'for (const { asset, amount } of fee === undefined ? movements : [...movements, fee])',
      'for (const { asset, amount } of fee === undefined ? [] : movements)',
    ),
    perHour(fee + fee / 2n),
  ),
  again(
    'pays more often than a limit allows',
    blocked(
      rules,
      'BigInt(count + (isCounted ? 0 : 1))',
      'BigInt(count - count + (isCounted ? 0 : 1))',
    ),
    timesPerHour(1),
  ),
  again(
    'pays more often than a limit allows, and has none of it counted',
    blocked(
      'authority/reduce/use.ts',
      '      ...(activity === undefined ? [] : countedOf(judging, plan, activity)),\n',
      '',
    ),
    timesPerHour(1),
  ),
  again(
    'splits a payment into several, each within the limit in dollars',
    blocked(rules, 'const value = prior.micros + added.micros', 'const value = added.micros'),
    dollarsPerHour(600),
    { facts: atPrice },
  ),
  again(
    'splits a payment into three under a limit in dollars, of which each sees the one before',
    blocked(spent, 'micros: before.micros + (micros ?? 0n)', 'micros: micros ?? 0n'),
    dollarsPerHour(1_000),
    { before: 2, facts: atPrice },
  ),
  again(
    'pays in dust, of which each part is worth less than can be counted',
    blocked(worth, 'return (dividend + divisor - 1n) / divisor', 'return dividend / divisor'),
    dollarsPerHour(0),
    { before: 0, facts: (stage, nonce) => priced(stage, nonce, { micros: 1n }) },
  ),
  attack(
    'puts two payments into one step, so that neither sees the other',
    blocked(
      'authority/reduce/step.ts',
      '? writes.findLast((write) => write.key === key)?.value',
      '? undefined',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, timesPerHour(1))
      const place = stage.placeOf(wallet)
      const asked = [0n, 1n].map((nonce) => ({
        kind: 'use' as const,
        evidence: stage.transfer(stage.admin, wallet, { nonce }),
      }))
      const drafted = forgeTogether(stage.world, { place, asked })
      return drive(stage.world, { place, drafted, key: wallet.key })
    },
    asVariant,
  ),
  attack(
    'races two payments through two servers against one limit',
    voter('another step has this vote'),
    async ({ stage }) => {
      const { world } = stage
      const wallet = await guarded(stage, timesPerHour(1))
      const place = stage.placeOf(wallet)
      const one = stage.transfer(stage.admin, wallet, { nonce: 0n })
      const drafted = world.draft(place, [{ kind: 'use', evidence: one }])
      for (const index of honest)
        await world.answer(index, place, world.propose(place, drafted.step))
      const other = stage.transfer(stage.admin, wallet, { nonce: 1n })
      const outcome = await stage.use(other, wallet)
      await world.certify(place, drafted)
      return outcome
    },
    asVariant,
  ),
  attack(
    'shows each of two payments to a quorum of its own, so that each is the first of the hour',
    enough,
    async ({ stage }) => {
      const { world } = stage
      const wallet = await guarded(stage, timesPerHour(1))
      const place = stage.placeOf(wallet)
      const [here, there] = [0n, 1n].map((nonce) => {
        const evidence = stage.transfer(stage.admin, wallet, { nonce })
        return world.draft(place, [{ kind: 'use', evidence }])
      })
      if (here === undefined || there === undefined) throw new Error('there are two')
      const vote = statedBy(await world.answer(1, place, world.propose(place, here.step)), 'vote')
      if (vote === undefined) throw new Error('no vote')
      const lock = lockOf(some([vote, world.vote(corrupt, place, here.step)]))
      const outcome = await watched(world, async () => {
        const answer = await world.answer(1, place, { kind: 'lock', lock, step: here.step })
        const refusals = [toldAnswer(answer)]
        return { refusals, votes: 0, seals: 0, lastRounds: 0, isSigned: false }
      })
      return outcome
    },
    asVariant,
  ),
  attack(
    'dates a payment into the next hour, when the limit is another one',
    at('signer/judgement.ts', 'the time of the step is not now'),
    async ({ stage }) => {
      const wallet = await guarded(stage, timesPerHour(1))
      await pay(stage, wallet, evmFacts(0n))
      const time = stage.world.now + 61 * minuteMs
      const preimage = { signBefore: time + minuteMs, issuedAt: time - 50 * minuteMs }
      const evidence = stage.transfer(stage.admin, wallet, { nonce: 1n, preimage })
      return stage.use(evidence, wallet, { time })
    },
    asVariant,
  ),
]

const unknown: readonly Attack[] = [
  unseen(
    'pays without a price first, so that the count of dollars begins at nothing',
    blocked(rules, 'if (prior.unpriced > 0 || prior.unknown > 0)', 'if (false)'),
    dollarsPerHour(600),
    cheap,
  ),
  unseen(
    'pays without a price first, and has that counted as nothing',
    blocked(spent, 'unpriced: before.unpriced + (micros === undefined ? 1 : 0)', 'unpriced: 0'),
    dollarsPerHour(600),
    cheap,
  ),
  unseen(
    'signs what nobody understands first, so that the count of an asset begins at nothing',
    blocked(rules, 'if (spending.uses(since).unknown > 0)', 'if (false)'),
    perHour(10n * fee),
    dark,
  ),
  unseen(
    'signs what nobody understands first, and has that counted as nothing',
    blocked(spent, 'unknown: before.unknown + (isKnown ? 0 : 1)', 'unknown: 0'),
    perHour(10n * fee),
    dark,
  ),
  attack(
    'hides the amount by bytes that nobody understands, under a limit over a time',
    blocked(
      rules,
      'if (isOpaque(outflow)) return triggered(`${what} is unknown: nobody can tell what leaves.`)\n  if (spending',
      'if (spending',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, perHour(10n * fee))
      return stage.use(dark(stage, wallet), wallet)
    },
  ),
  attack(
    'hides what it is worth by bytes that nobody understands',
    blocked(
      worth,
      "if (isOpaque(outflow)) return { ok: false, reason: 'nobody can tell what leaves' }",
      '',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, dollars(10))
      const { id, name } = wallet
      const evidence = stage.ask(stage.admin, {
        path: `/wallets/${name}/transactions`,
        body: { kind: 'Transaction', transaction: { to: recipient, data: '0x12345678' } },
        ...{ ids: { walletId: id }, maxFee: usualMaxFee, facts: encodeFacts(priced(stage, 0n)) },
      })
      return stage.use(evidence, wallet)
    },
  ),
]

/** Pays under this policy on these facts. */
const said = (
  name: string,
  check: Check,
  policy: Policy,
  facts: (stage: Stage) => Facts,
  body: object = {},
): Attack =>
  attack(name, check, async ({ stage }: Cast) => {
    const wallet = await guarded(stage, policy)
    const asked = stage.transfer(stage.admin, wallet, { facts: facts(stage), body })
    return stage.use(asked, wallet)
  })
const recipientSaid = (isListed: boolean, ageMs: number) => (stage: Stage) => ({
  ...evmFacts(0n),
  screenings: [{ address: recipient, isListed, source: 'sanctions', at: stage.world.now - ageMs }],
})
const much = { amount: `${10n ** 17n}` }

const facts: readonly Attack[] = [
  said(
    'names no price, under a limit in dollars',
    blocked(
      worth,
      'if (named.length === 0) return { ok: false, reason: `there is no price of ${asset}` }',
      'if (named.length === 0) return { ok: true, micros: 0n }',
    ),
    dollars(10),
    () => evmFacts(0n),
    much,
  ),
  said(
    'names no price, and has the unknown taken for little',
    blocked(
      rules,
      'if (!worth.ok) return triggered(`Transfer amount is unknown: ${worth.reason}.`)',
      "if (!worth.ok) return passed('')",
    ),
    dollars(10),
    () => evmFacts(0n),
    much,
  ),
  said(
    'names no price, under a limit in dollars over a time',
    blocked(
      rules,
      'if (!worth.ok) return triggered(`${what} is unknown: ${worth.reason}.`)',
      "if (!worth.ok) return passed('')",
    ),
    dollarsPerHour(10),
    () => evmFacts(0n),
    much,
  ),
  said(
    'counts by a price of yesterday, when an ether was worth nothing',
    blocked(
      worth,
      'named.filter(({ at }) => isFresh(at, { time, ageMaxMs: priceAgeMaxMs }))',
      'named',
    ),
    dollars(10),
    (stage) => priced(stage, 0n, { micros: 1n, at: stage.world.now - 25 * 60 * minuteMs }),
    much,
  ),
  said(
    'counts by a price of tomorrow',
    blocked(worth, 'return at <= time && time - at <= ageMaxMs', 'return time - at <= ageMaxMs'),
    dollars(10),
    (stage) => priced(stage, 0n, { micros: 1n, at: stage.world.now + 25 * 60 * minuteMs }),
    much,
  ),
  said(
    'counts by a price of nothing',
    blocked(worth, "currency === 'USD' && micros > 0n && isScale", "currency === 'USD' && isScale"),
    dollars(10),
    (stage) => priced(stage, 0n, { micros: 0n }),
    much,
  ),
  said(
    'lies about the decimals of an asset, by more than any has',
    blocked(worth, 'decimals <= decimalsMax', 'decimals <= 255'),
    dollars(10),
    (stage) => priced(stage, 0n, { decimals: 200 }),
    much,
  ),
  said(
    'brings a second source, by which an ether is worth nothing',
    blocked(worth, '(each > most ? each : most)', '(each < most ? each : most)'),
    dollars(10),
    (stage) => ({
      ...evmFacts(0n),
      prices: [priceOf(stage), priceOf(stage, { source: 'cheap', micros: 1n })],
    }),
    much,
  ),
  said(
    'drains a wallet by a fee that the limit in dollars does not see',
    blocked(
      worth,
      '[...outflow.movements, ...(outflow.fee === undefined ? [] : [outflow.fee])]',
      'outflow.movements',
    ),
    dollars(200),
    (stage) => priced(stage, 0n, dear),
  ),
  said(
    'pays somebody who is on a deny list',
    blocked(
      rules,
      'if (listed !== undefined)\n    return triggered(`Recipient (${listed}) is on a deny list.`, { recipient: listed })',
      '',
    ),
    screened,
    recipientSaid(true, 0),
  ),
  said(
    'pays somebody of whom nobody has said that he is on no deny list',
    blocked(
      rules,
      'const recipient = recipients.find((to) => !about(to).some(isRecent))',
      'const recipient = recipients.find(() => false && isRecent)',
    ),
    screened,
    () => evmFacts(0n),
  ),
  said(
    'pays somebody who was on no deny list the day before yesterday',
    blocked(
      rules,
      'const isRecent = ({ at }: { at: number }) => isFresh(at, { time, ageMaxMs: screeningAgeMaxMs })',
      'const isRecent = ({ at }: { at: number }) => isFresh(at, { time, ageMaxMs: screeningAgeMaxMs * 9 })',
    ),
    screened,
    recipientSaid(false, 48 * 60 * minuteMs),
  ),
]

export const overspending: readonly Attack[] = [...split, ...unknown, ...facts]
