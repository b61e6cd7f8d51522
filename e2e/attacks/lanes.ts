import { encodeOriginal } from '@quorate/authority/original'
import type { Preimage } from '@quorate/authority/request'
import { decodeEvidence, encodeEvidence, type WholeEvidence } from '@quorate/authority/step'
import { encodeFacts, type EvmFacts } from '@quorate/effects/facts'
import { evmFacts, usualMaxFee } from '@quorate/signer/testing/uses'
import { at, attack, rule, without, type Attack } from './attack.ts'
import { blocked, guarded, lay, native, on, rule as limit } from './policies/scene.ts'
import { made, signedBy, type Actor, type Made, type Stage, type Wallet } from './stage.ts'

/** What a server may try with requests that take the place of others. */

const gwei = 10n ** 9n
/** Of a plain transfer at twenty gwei, which is what those of the stage cost. */
const fee = 21_000n * 20n * gwei
const asVariant = { isVariant: true }

export type Replacing = {
  readonly how: 'cancel' | 'speed-up'
  readonly nonce: bigint
  readonly by?: Actor
  /** As the server shows it; nothing for a cancellation. */
  readonly original?: Uint8Array
  readonly facts?: Partial<EvmFacts>
  readonly body?: object
  readonly maxFee?: bigint
  readonly preimage?: Partial<Preimage>
  readonly kind?: 'transfer' | 'transaction'
}

/** The request that is to take the place of another one, for a quarter more. */
export function replacing(
  stage: Stage,
  wallet: Wallet,
  replaced: WholeEvidence,
  given: Replacing,
): WholeEvidence {
  const { how, nonce, by = stage.admin, body = {}, maxFee = usualMaxFee, kind = 'transfer' } = given
  const { id, name }: Made = made(replaced, kind)
  const original = how === 'speed-up' ? encodeOriginal(replaced) : undefined
  const shown = given.original ?? original
  const facts = { maxFeePerGas: 25n * gwei, ...given.facts, ...(shown && { original: shown }) }
  return stage.ask(by, {
    path: `/wallets/${wallet.name}/${kind}s/${name}/${how}`,
    ...{ body, maxFee, ids: { walletId: wallet.id, [`${kind}Id`]: id } },
    facts: encodeFacts(evmFacts(nonce, facts)),
    ...(given.preimage && { preimage: given.preimage }),
  })
}

type Sent = { readonly wallet: Wallet; readonly first: WholeEvidence }

/** A wallet that has sent one transfer, at its nonce 0. */
export async function sending(stage: Stage): Promise<Sent> {
  const wallet = await stage.createWallet(stage.admin)
  return { wallet, first: await transferred(stage, wallet, 0n) }
}

async function transferred(stage: Stage, wallet: Wallet, nonce: bigint): Promise<WholeEvidence> {
  const evidence = stage.transfer(stage.admin, wallet, { nonce })
  return stage.put('use', evidence, stage.placeOf(wallet))
}

const notSigned = without(
  at(
    'authority/original.ts',
    'the original is not what was signed',
    'if (match === undefined || !isWhole) return undefined',
  ),
  [
    'if (match === undefined || !isWhole) return undefined',
    'if (match === undefined) return undefined',
  ],
)
const elsewhere = rule('replacement', 'what it is to replace is not at this slot')
const different = rule('replacement', 'it does something else than what it is to replace')
const refusedBy = (words: string) =>
  without(at('judge/replacement.ts', words), [`return refused('${words}')`, ''])

const effects: readonly Attack[] = [
  attack('speeds up a transfer with another recipient in it', notSigned, async ({ stage }) => {
    const { wallet, first } = await sending(stage)
    const known = decodeEvidence(encodeOriginal(first))
    const payload = known.payload.replace('0x11', '0x66')
    const original = encodeEvidence({ ...known, payload })
    const asked = replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n, original })
    return stage.use(asked, wallet)
  }),
  attack(
    'speeds up one transfer into another that was signed too',
    different,
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const original = encodeOriginal(await transferred(stage, wallet, 1n))
      const asked = replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n, original })
      return stage.use(asked, wallet)
    },
  ),
  attack(
    'speeds up a cancellation into the transfer that it has cancelled',
    different,
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const cancelling = replacing(stage, wallet, first, { how: 'cancel', nonce: 0n })
      await stage.put('use', cancelling, stage.placeOf(wallet))
      const original = encodeOriginal(first)
      const facts = { maxFeePerGas: 30n * gwei }
      const asked = replacing(stage, wallet, cancelling, {
        ...{ how: 'speed-up', nonce: 0n, kind: 'transaction', original, facts },
      })
      return stage.use(asked, wallet)
    },
    asVariant,
  ),
  attack(
    'cancels a transfer under the name of its effect, to have that revived later',
    refusedBy('a cancellation has no effect of another one'),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const original = encodeOriginal(first)
      const asked = replacing(stage, wallet, first, { how: 'cancel', nonce: 0n, original })
      return stage.use(asked, wallet)
    },
  ),
  attack(
    'has a transfer rest on one of before',
    without(at('judge/rules.ts', 'the request rests on no other one'), [
      "return no('the request rests on no other one')",
      '',
    ]),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const facts = evmFacts(1n, { original: encodeOriginal(first) })
      return stage.use(stage.transfer(stage.admin, wallet, { facts }), wallet)
    },
  ),
  attack(
    'speeds up a transfer by a body that says more',
    refusedBy('a replacement says nothing of its own'),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const body = { to: `0x${'66'.repeat(20)}` }
      const asked = replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n, body })
      return stage.use(asked, wallet)
    },
  ),
]

const places: readonly Attack[] = [
  attack('cancels a transfer at the nonce of another', elsewhere, async ({ stage }) => {
    const { wallet, first } = await sending(stage)
    await transferred(stage, wallet, 1n)
    return stage.use(replacing(stage, wallet, first, { how: 'cancel', nonce: 1n }), wallet)
  }),
  attack(
    'speeds up a transfer at a nonce that is still free, to have it paid twice',
    elsewhere,
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      return stage.use(replacing(stage, wallet, first, { how: 'speed-up', nonce: 1n }), wallet)
    },
    asVariant,
  ),
  attack(
    'cancels what the same key has sent from a wallet on another network',
    elsewhere,
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const body = { network: 'BaseSepolia', signingKey: { id: wallet.key.name } }
      const wish = { path: '/wallets', body, ids: { 'signingKey.id': wallet.key.id } }
      const asked = await stage.put('wallet', stage.ask(stage.admin, wish))
      const there = { ...made(asked, 'wallet'), key: wallet.key }
      await transferred(stage, there, 0n)
      await transferred(stage, there, 1n)
      return stage.use(replacing(stage, there, first, { how: 'cancel', nonce: 1n }), there)
    },
    asVariant,
  ),
  attack(
    'cancels in one wallet what another one has sent',
    elsewhere,
    async ({ stage }) => {
      const { first } = await sending(stage)
      const { wallet } = await sending(stage)
      return stage.use(replacing(stage, wallet, first, { how: 'cancel', nonce: 0n }), wallet)
    },
    asVariant,
  ),
  attack(
    'cancels a transfer that nobody has asked it to cancel',
    rule('author', 'the signature is not valid'),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const asked = replacing(stage, wallet, first, { how: 'cancel', nonce: 0n })
      return stage.use(signedBy(stage.admin.by, asked, first.preimage), wallet)
    },
    asVariant,
  ),
]

const perHour = (most: bigint) => ({
  rule: limit('TransactionAssetVelocity', { asset: native, limit: `${most}`, timeframe: 60 }),
})
/** As many twentieths of the fee of the first transfer. */
const dearer = (twentieths: bigint) => ({ maxFeePerGas: twentieths * gwei })

const costs: readonly Attack[] = [
  attack(
    'speeds up a transfer for a higher fee than was signed',
    at('judge/rules.ts', 'the fee is above what was signed'),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const asked = replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n, maxFee: fee })
      return stage.use(asked, wallet)
    },
    asVariant,
  ),
  attack(
    'speeds up a transfer past a limit, as if it cost nothing more',
    blocked(
      'policy/rules.ts',
      'return isCounted ? { isKnown: true, isRaw: false, movements: [], fee } : outflow',
      'return isCounted ? { isKnown: true, isRaw: false, movements: [], fee: fee && undefined } : outflow',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, perHour(fee + fee / 2n))
      const first = await transferred(stage, wallet, 0n)
      const facts = dearer(40n)
      return stage.use(
        replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n, facts }),
        wallet,
      )
    },
  ),
  attack(
    'speeds up a transfer again and again, each time by a little that no limit counts',
    blocked(
      'authority/reduce/use.ts',
      'return fee === undefined\n    ? []',
      'return fee !== undefined\n    ? []',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, perHour(fee + fee / 2n))
      const first = await transferred(stage, wallet, 0n)
      const speedUp = (twentieths: bigint) =>
        replacing(stage, wallet, first, {
          ...{ how: 'speed-up', nonce: 0n, facts: dearer(twentieths) },
        })
      await stage.put('use', speedUp(27n), stage.placeOf(wallet))
      return stage.use(speedUp(34n), wallet)
    },
  ),
  attack(
    'speeds up what a policy has come to block since',
    blocked(
      'authority/reduce/gate.ts',
      "if (gate.verdict === 'deny') refuse(blockedReason + gate.reason)",
      '',
    ),
    async ({ stage }) => {
      const { wallet, first } = await sending(stage)
      const rule = limit('TransactionAssetLimit', { asset: native, limit: '0' })
      await lay(stage, { rule, filters: on(wallet) })
      return stage.use(replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n }), wallet)
    },
    asVariant,
  ),
]

export const lanes: readonly Attack[] = [...effects, ...places, ...costs]
