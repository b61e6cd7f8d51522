import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  decodePreimage,
  encodePreimage,
  sponsorshipHash,
  type Preimage,
} from '@quorate/authority/request'
import { encodeOriginal } from '@quorate/authority/original'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import type { Item, WholeEvidence } from '@quorate/authority/step'
import { bytesToBig } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { addressOfKey } from '@quorate/effects/evm/address'
import { encodeFacts, noFacts, type AccountSignature } from '@quorate/effects/facts'
import type { SponsorshipFacts } from '@quorate/effects/facts'
import { signature, signCall } from '@quorate/signer/testing/signing'
import { evmFacts, usualMaxFee } from '@quorate/signer/testing/uses'
import { at, attack, rule, without, type Attack, type Check, type Outcome } from './attack.ts'
import { corrupt } from './drive.ts'
import { approvalBy, block, blocked, dayMs, guarded, lay, on } from './policies/scene.ts'
import { made, type Actor, type Made, type Proposing, type Stage, type Wallet } from './stage.ts'

/** What a server may try with requests whose fees somebody else pays. */

const gwei = 10n ** 9n
/** Of the sponsorships here, each at its most. */
const fee = 100_000n * 20n * gwei
const asVariant = { isVariant: true }

/** One wallet that pays, as a sponsor, and one that is paid for. */
export type Scene = { readonly sponsor: Made; readonly payer: Wallet; readonly wallet: Wallet }

const scenes = new WeakMap<Stage, Promise<Scene>>()

/** One for all attacks after which there is nothing that was not before. */
export function sceneOf(stage: Stage): Promise<Scene> {
  const known = scenes.get(stage) ?? newScene(stage)
  scenes.set(stage, known)
  return known
}

export async function newScene(stage: Stage, body: object = {}): Promise<Scene> {
  const [payer, wallet] = [
    await stage.createWallet(stage.admin),
    await stage.createWallet(stage.admin),
  ]
  return { payer, wallet, sponsor: await sponsoring(stage, payer, body) }
}

async function sponsoring(stage: Stage, payer: Wallet, body: object = {}): Promise<Made> {
  const wish = { path: '/fee-sponsors', body: { walletId: payer.name, ...body } }
  const asked = stage.ask(stage.admin, { ...wish, ids: { walletId: payer.id } })
  return made(await stage.put('feeSponsor', asked), 'feeSponsor')
}

export type Asking = {
  readonly by?: Actor
  readonly amount?: string
  readonly externalId?: string
  readonly preimage?: Partial<Preimage>
}

/** One wei, for whose fees the sponsor is to pay. */
export function asked(
  stage: Stage,
  { wallet, sponsor }: Pick<Scene, 'wallet' | 'sponsor'>,
  { by = stage.admin, amount = '1', externalId, preimage }: Asking = {},
): WholeEvidence {
  return stage.transfer(by, wallet, {
    body: { amount, feeSponsorId: sponsor.name, ...(externalId && { externalId }) },
    ids: { walletId: wallet.id, feeSponsorId: sponsor.id },
    facts: { family: 'sponsored' },
    ...(preimage && { preimage }),
  })
}

/** What the wallet's key signs of it, as it should. */
async function innerOf(
  stage: Stage,
  { key }: Wallet,
  evidence: WholeEvidence,
): Promise<AccountSignature> {
  const { world } = stage
  const place = stage.placeOf({ key })
  const drafted = await world.put('use', evidence, place.stream)
  const operation = drafted.body.items[0]?.operation
  const message = operation?.kind === 'use' ? operation.digests[0] : undefined
  if (message === undefined) throw new Error('there is nothing to be signed')
  const call = signCall(place, drafted, { quorum: [1, corrupt] })
  const bytes = await signature(world, key, { call, message })
  return withParity(bytes, { message, publicKey: key.statement.publicKey })
}

function withParity(
  bytes: Uint8Array,
  of: { readonly message: Uint8Array; readonly publicKey: Uint8Array },
): AccountSignature {
  const [r, s] = [bytesToBig(bytes.subarray(0, 32)), bytesToBig(bytes.subarray(32))]
  const isEven = secp256k1.verify(new Uint8Array([0, ...bytes]), of.message, of.publicKey, {
    ...({ prehash: false, format: 'recovered' } as const),
  })
  return { r, s, yParity: isEven ? 0 : 1 }
}

let nonce = 0n

export function factsAround(
  inner: AccountSignature,
  change: Partial<SponsorshipFacts> = {},
): SponsorshipFacts {
  return {
    ...{ family: 'sponsorship', nonce: nonce++, gasLimit: 100_000n, inner },
    ...{ maxFeePerGas: 20n * gwei, maxPriorityFeePerGas: gwei, ...change },
  }
}

type Paid = Proposing & { readonly facts?: Partial<SponsorshipFacts> }

export function around(
  evidence: WholeEvidence,
  inner: AccountSignature,
  change?: Partial<SponsorshipFacts>,
): WholeEvidence {
  return { ...evidence, facts: encodeFacts(factsAround(inner, change)) }
}

/** The sponsor's key is to sign for it, to the signature if there is a way. */
function paid(
  stage: Stage,
  { payer }: Pick<Scene, 'payer'>,
  [evidence, inner]: readonly [WholeEvidence, AccountSignature],
  { facts, ...proposing }: Paid = {},
): Promise<Outcome> {
  const { key } = payer
  const place = stage.placeOf(payer)
  const beside = around(evidence, inner, facts)
  return stage.propose('sponsor', beside, { place, key, ...proposing })
}

/** As it should be, to be signed around. */
export async function inOrder(stage: Stage, scene: Scene, asking?: Asking) {
  const evidence = asked(stage, scene, asking)
  return [evidence, await innerOf(stage, scene.wallet, evidence)] as const
}

/** What is in order by the very messages that fail below. */
export async function paidInOrder(stage: Stage): Promise<readonly Outcome[]> {
  const scene = await sceneOf(stage)
  const outcomes: Outcome[] = []
  // Each wallet has external ids of its own, and one sponsor pays for many.
  for (const wallet of [scene.wallet, await stage.createWallet(stage.admin)]) {
    const ready = await inOrder(stage, { ...scene, wallet }, { externalId: 'invoice 1' })
    outcomes.push(await paid(stage, scene, ready))
  }
  return outcomes
}

export async function putPaid(
  stage: Stage,
  scene: Scene,
  [evidence, inner]: readonly [WholeEvidence, AccountSignature],
): Promise<void> {
  await stage.put('sponsor', around(evidence, inner), stage.placeOf(scene.payer))
}

export async function changed(stage: Stage, { id, name }: Made, end: string): Promise<void> {
  const wish = { method: 'PUT', path: `/fee-sponsors/${name}/${end}`, body: {} } as const
  const evidence = stage.ask(stage.admin, { ...wish, ids: { feeSponsorId: id } })
  await stage.put('feeSponsorUpdate', evidence)
}

export async function freeze(stage: Stage, { key }: Wallet): Promise<void> {
  const wish = { path: '/orgs/freezes', body: { keyId: key.name }, ids: { keyId: key.id } }
  await stage.put('freeze', stage.ask(stage.admin, wish))
}

const sponsored = 'effects/evm/sponsored.ts'
const unsigned = without(at(sponsored, 'the account has not signed these operations'), [
  'if (!isSignedBy(publicKey, digest, facts.inner))',
  'if (false)',
])
const undelegated = without(at(sponsored, 'the account has not signed its delegation'), [
  'if (!isSignedBy(publicKey, delegationOf(network, nonce), signature))',
  'if (false)',
])
/** Nobody's signature of anything. */
const forged: AccountSignature = { r: 1n, s: 1n, yParity: 0 }

const inners: readonly Attack[] = [
  attack(
    'has a sponsor pay for what no key of the wallet has signed',
    unsigned,
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      return paid(stage, scene, [asked(stage, scene), forged])
    },
  ),
  attack(
    'has a sponsor pay for one request with the signature for another one',
    unsigned,
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const [, inner] = await inOrder(stage, scene)
      return paid(stage, scene, [asked(stage, scene, { amount: '2' }), inner])
    },
    asVariant,
  ),
  attack(
    'has a sponsor pay for one wallet with the signature of another one',
    unsigned,
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const [, inner] = await inOrder(stage, scene)
      const wallet = await stage.createWallet(stage.admin)
      return paid(stage, scene, [asked(stage, { ...scene, wallet }), inner])
    },
    asVariant,
  ),
  attack(
    'has a sponsor pay for other operations than its user has asked for',
    rule('author', 'the payload is not the one that was signed'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const [evidence, inner] = await inOrder(stage, scene)
      const payload = evidence.payload.replace('0x11', '0x66')
      return paid(stage, scene, [{ ...evidence, payload }, inner])
    },
    asVariant,
  ),
  attack(
    'moves the moment until which the chain takes what somebody else pays for',
    rule('author', 'the signature is not valid'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const [evidence, inner] = await inOrder(stage, scene)
      const { executeBefore, ...rest } = decodePreimage(evidence.preimage)
      const preimage = encodePreimage({ ...rest, executeBefore: executeBefore + dayMs })
      return paid(stage, scene, [{ ...evidence, preimage }, inner])
    },
    asVariant,
  ),
  attack(
    'has a sponsor hand an account over to another contract, which its user once wanted',
    undelegated,
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const { wallet } = scene
      const ask = { kind: 'Eip7702', address: `0x${'66'.repeat(20)}`, nonce: 0, chainId: 11155111 }
      const delegating = stage.ask(stage.admin, {
        ...{ path: `/wallets/${wallet.name}/signatures`, body: ask, ids: { walletId: wallet.id } },
        ...{ facts: encodeFacts(noFacts), maxFee: usualMaxFee },
      })
      const delegation = { nonce: 0n, signature: await innerOf(stage, wallet, delegating) }
      return paid(stage, scene, await inOrder(stage, scene), { facts: { delegation } })
    },
  ),
  attack(
    'has a hash of operations signed as typed data, past a policy on raw bytes',
    blocked(
      'effects/evm/effect.ts',
      'outflow: isOwn ? rawOutflow :',
      'outflow: false ? rawOutflow :',
    ),
    async ({ stage }) => {
      const raw = { rule: { kind: 'RawSigning', configuration: {} } }
      const { id, name, key } = await guarded(stage, raw)
      const body = {
        kind: 'Eip712',
        types: {
          Execute: ['operations', 'nonce'].map((one) => ({ name: one, type: 'bytes32' })),
        },
        domain: { chainId: 11155111, verifyingContract: addressOfKey(key.statement.publicKey) },
        message: { operations: `0x${'11'.repeat(32)}`, nonce: `0x${'22'.repeat(32)}` },
      }
      const evidence = stage.ask(stage.admin, {
        ...{ path: `/wallets/${name}/signatures`, body, ids: { walletId: id } },
        ...{ facts: encodeFacts(noFacts), maxFee: usualMaxFee },
      })
      return stage.use(evidence, { key })
    },
  ),
]

const rules: readonly Attack[] = [
  attack(
    'has a sponsor pay though it was switched off since the wallet has signed',
    rule('sponsor', 'the fee sponsor is not active'),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      await changed(stage, scene.sponsor, 'deactivate')
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'has a sponsor pay that the organization does not have',
    without(rule('sponsor', 'there is no such fee sponsor'), [
      "if (record === undefined) return refuse('there is no such fee sponsor')",
      'if (record === undefined) return undefined',
    ]),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const id = new Uint8Array(32).fill(6)
      const sponsor = { id, name: nameOf('feeSponsor', id) }
      return stage.use(asked(stage, { ...scene, sponsor }), scene.wallet)
    },
  ),
  attack(
    'has a sponsor pay on another chain than its own',
    rule('sponsor', 'the fee sponsor is of another network'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const { key } = scene.wallet
      const body = { network: 'BaseSepolia', signingKey: { id: key.name } }
      const wish = { path: '/wallets', body, ids: { 'signingKey.id': key.id } }
      const there = await stage.put('wallet', stage.ask(stage.admin, wish))
      const wallet = { ...made(there, 'wallet'), key }
      return stage.use(asked(stage, { ...scene, wallet }), wallet)
    },
  ),
  attack(
    'has a sponsor pay for an end user, which it does not',
    rule('sponsor', 'the fee sponsor pays for no end users'),
    async ({ stage, machine }) => {
      const { sponsor } = await sceneOf(stage)
      const by = await stage.newcomer(await stage.registerEndUser(machine), true)
      const operations = ['Wallets:Transfers:Create', 'FeeSponsors:Use']
      await stage.assign(await stage.createPermission('Paid for', operations), by)
      const ids = { delegateTo: by.user }
      const wallet = await stage.createWallet(machine, { delegateTo: by.name }, ids)
      return stage.use(asked(stage, { wallet, sponsor }, { by }), wallet)
    },
  ),
  attack(
    'has a sponsor pay for somebody who may not use any',
    without(
      at(
        'authority/reduce/author.ts',
        'not authorized to perform operation (FeeSponsors:Use)',
        'if (!has(rights, name)) refuse(',
      ),
      ['if (!has(rights, name)) refuse(', 'if (false) refuse('],
    ),
    async ({ stage, bob }) => {
      const scene = await sceneOf(stage)
      return stage.use(asked(stage, scene, { by: bob }), scene.wallet)
    },
    asVariant,
  ),
  attack(
    'has one sponsor pay for the wallet of another one',
    without(rule('sponsor', "a sponsor's own wallet cannot be sponsored"), [
      'refuse("a sponsor\'s own wallet cannot be sponsored")',
      '(undefined as never)',
    ]),
    async ({ stage }) => {
      const { sponsor } = await sceneOf(stage)
      const { payer } = await newScene(stage)
      return stage.use(asked(stage, { wallet: payer, sponsor }), payer)
    },
  ),
  attack(
    'has a sponsor pay whose key is frozen',
    rule('sponsor', 'the key of the fee sponsor is frozen'),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      await freeze(stage, scene.payer)
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'has a sponsor pay whose key is archived',
    rule('sponsor', 'the key of the fee sponsor is archived'),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      const { id, name } = scene.payer.key
      const wish = {
        method: 'DELETE',
        path: `/keys/${name}`,
        body: {},
        ids: { keyId: id },
      } as const
      await stage.put('keyStatus', stage.ask(stage.admin, wish))
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'has a sponsor pay for a wallet whose key was frozen when it had signed',
    without(
      at(
        'authority/reduce/sponsorship.ts',
        'the key is frozen',
        'judgeOwner(judging, authored, paidKey)',
      ),
      ['if (!fills) judgeOwner(judging, authored, paidKey)', ''],
    ),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      await freeze(stage, scene.wallet)
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'has a sponsor pay though a policy on its wallet blocks it',
    blocked(
      'authority/reduce/sponsorship.ts',
      "if (verdict === 'deny') refuse(blockedReason + reason)",
      '',
    ),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      await lay(stage, { action: block, filters: on(scene.payer) })
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'has a sponsor pay without the approval that a policy on its wallet wants',
    rule(
      'sponsorship',
      'a policy of the sponsor wants an approval, which no sponsorship waits for',
    ),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const ready = await inOrder(stage, scene)
      await lay(stage, { action: approvalBy(), filters: on(scene.payer) })
      return paid(stage, scene, ready)
    },
  ),
]

/** Another word of the server about why the item is there. */
const causedBy =
  (change: (cause: Extract<Item['cause'], { kind: 'rule' }>) => Item['cause']) =>
  (item: Item): Item =>
    item.cause.kind === 'rule' ? { ...item, cause: change(item.cause) } : item

const places: readonly Attack[] = [
  attack(
    'has a sponsor’s key sign a request of another wallet as if it were its own',
    without(rule('cause', 'no standing rule allows such an item'), [
      "if (actsByRule(kind) !== (named !== undefined)) refuse('no standing rule allows such an item')",
      '',
    ]),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const item = causedBy(({ request: hash }) => ({ kind: 'request', hash }))
      return paid(stage, scene, await inOrder(stage, scene), { item })
    },
  ),
  attack(
    'names another sponsor than the one by which the user wants to be paid for',
    rule('cause', 'the item names another rule than its user'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const item = causedBy((cause) => ({ ...cause, rule: new Uint8Array(32).fill(6) }))
      return paid(stage, scene, await inOrder(stage, scene), { item })
    },
  ),
  attack(
    'has a sponsor pay in the stream of another key, where nothing was counted yet',
    rule('sponsorship', 'the sponsorship stands in the stream of another key'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const place = stage.placeOf(scene.wallet)
      return paid(stage, scene, await inOrder(stage, scene), { place })
    },
  ),
  attack(
    'has a sponsor pay twice for one request',
    rule('sponsorship', 'the request has been used'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const ready = await inOrder(stage, scene)
      await putPaid(stage, scene, ready)
      return paid(stage, scene, ready)
    },
  ),
  attack(
    'gives what a sponsor pays for and what it pays for itself one nonce',
    rule('use', 'the slot is taken by another request'),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const own = stage.transfer(stage.admin, scene.payer, { nonce: 7n })
      await stage.put('use', own, stage.placeOf(scene.payer))
      return paid(stage, scene, await inOrder(stage, scene), { facts: { nonce: 7n } })
    },
    asVariant,
  ),
  attack(
    'renews what a sponsor pays for at another nonce',
    rule('use', 'a renewal signs what was agreed and nothing else'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const ready = await inOrder(stage, scene)
      await putPaid(stage, scene, ready)
      const place = stage.placeOf(scene.payer)
      const { key } = scene.payer
      return stage.propose('sponsorRenewal', around(...ready), { place, key })
    },
    asVariant,
  ),
  attack(
    'speeds up what a sponsor pays for, as a payment of the sponsor’s own',
    without(at('effects/evm/replacement.ts', 'what somebody else pays for is not sped up'), [
      "throw refused('what somebody else pays for is not sped up')",
      '(undefined as never)',
    ]),
    async ({ stage }) => {
      const scene = await newScene(stage)
      const [evidence, inner] = await inOrder(stage, scene)
      const facts = factsAround(inner)
      const beside = { ...evidence, facts: encodeFacts(facts) }
      await stage.put('sponsor', beside, stage.placeOf(scene.payer))
      const id = idOf(sponsorshipHash(requestOfEvidence(evidence)), 'transfer')
      const { payer } = scene
      const original = encodeOriginal(evidence)
      const speedUp = stage.ask(stage.admin, {
        path: `/wallets/${payer.name}/transfers/${nameOf('transfer', id)}/speed-up`,
        ...{ body: {}, maxFee: usualMaxFee, ids: { walletId: payer.id, transferId: id } },
        facts: encodeFacts(evmFacts(facts.nonce, { maxFeePerGas: 25n * gwei, original })),
      })
      return stage.use(speedUp, payer)
    },
  ),
]

/** One sponsorship was paid for already, at its most; the limits leave room for less than another one. */
function drained(name: string, limit: string, check: Check): Attack {
  return attack(name, check, async ({ stage }) => {
    const scene = await newScene(stage, { limits: { [limit]: `${(fee * 3n) / 2n}` } })
    await putPaid(stage, scene, await inOrder(stage, scene))
    return paid(stage, scene, await inOrder(stage, scene, { amount: '2' }))
  })
}

const costs: readonly Attack[] = [
  attack(
    'has a sponsor pay more for an operation than it allows',
    rule('sponsorship', 'the fee is above what the sponsor pays for an operation'),
    async ({ stage }) => {
      const scene = await newScene(stage, { limits: { perOperation: `${fee - 1n}` } })
      return paid(stage, scene, await inOrder(stage, scene))
    },
  ),
  drained(
    'drains a sponsor by one operation after the other, be it that each reverts',
    'perDay',
    rule('sponsorship', 'the fee is above what the sponsor pays in a day'),
  ),
  drained(
    'drains a sponsor in the name of one user',
    'perUserPerDay',
    rule('sponsorship', 'the fee is above what the sponsor pays for a user in a day'),
  ),
  attack(
    'has a sponsor pay more than the user has signed for',
    at('judge/rules.ts', 'the fee is above what was signed'),
    async ({ stage }) => {
      const scene = await sceneOf(stage)
      const facts = { maxFeePerGas: 101n * gwei }
      return paid(stage, scene, await inOrder(stage, scene), { facts })
    },
    asVariant,
  ),
]

export const sponsors: readonly Attack[] = [...inners, ...rules, ...places, ...costs]
