import { requestHash } from '@quorate/authority/request'
import { commitTo, decodePreimage } from '@quorate/authority/request'
import {
  assertionsHash,
  type Item,
  type ItemKind,
  type WholeEvidence,
} from '@quorate/authority/step'
import { sha256 } from '@quorate/core/hash'
import type { EvmFacts } from '@quorate/effects/facts'
import { entry } from './cluster.ts'
import type { Key, Wallet } from './keys.ts'
import { draftAnyway, type Drafted, type Place } from './ledger.ts'
import type { Ask, Person } from './requests.ts'
import type { World } from './world.ts'

const gwei = 10n ** 9n
/** A plain transfer at 20 gwei. */
export function evmFacts(nonce: bigint, change: Partial<EvmFacts> = {}): EvmFacts {
  return {
    family: 'evm',
    nonce,
    gasLimit: 21_000n,
    maxFeePerGas: 20n * gwei,
    maxPriorityFeePerGas: gwei,
    ...change,
  }
}

export const recipient = `0x${'11'.repeat(20)}`
/** Enough for a transfer and below the ceiling of the network. */
export const usualMaxFee = 10n ** 16n

type TransferAsk = {
  readonly nonce?: bigint
  readonly body?: object
  readonly ask?: Partial<Ask>
  readonly person?: Person
}

/** `POST /wallets/{id}/transfers` of one wei, with the facts that a server adds. */
export function transferRequest(
  world: World,
  wallet: Wallet,
  asked: TransferAsk = {},
): WholeEvidence {
  const { nonce = 0n, body = {}, ask = {}, person } = asked
  return world.request(
    {
      path: `/wallets/${wallet.name}/transfers`,
      body: { kind: 'Native', to: recipient, amount: '1', ...body },
      maxFee: usualMaxFee,
      facts: evmFacts(nonce),
      ...ask,
    },
    person,
  )
}

/** `POST /keys/{id}/signatures` */
export function signatureRequest(
  world: World,
  key: Key,
  body: object = { kind: 'Hash', hash: `0x${'22'.repeat(32)}` },
): WholeEvidence {
  return world.request({ path: `/keys/${key.name}/signatures`, body })
}

/**
 * A step of a hostile server: its one item speaks of `evidence`, with every hash made to fit, and
 * claims the operation that the rules would give to `like`.
 */
export function forge(
  world: World,
  place: Place,
  { kind, evidence, like }: { kind: ItemKind; evidence: WholeEvidence; like: WholeEvidence },
): Drafted {
  const honest = entry(world.draft(place, [{ kind, evidence: like }]).body.items, 0)
  const { ledger, rules, now: time } = world
  const item: Item = { ...honest, ...hashesOf(evidence) }
  return draftAnyway({ ledger, rules, place, time, asked: [{ kind, evidence }] }, [item])
}

function hashesOf(evidence: WholeEvidence): Omit<Item, 'operation' | 'versions'> {
  const { payload, fields } = commitTo(evidence.payload, evidence.salt)
  return {
    cause: { kind: 'request', hash: requestHash(evidence.preimage) },
    subjects: decodePreimage(evidence.preimage).subjects,
    payload,
    fields,
    assertions: assertionsHash(evidence.assertions),
    facts: sha256(evidence.facts),
  }
}
