import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { idOf } from '@quorate/core/id'
import type { JsonObject } from '@quorate/core/json'
import type { KeyTerms } from '../key-certificate.ts'
import { keyTable, walletTable } from '../records.ts'
import { keyCertificatesCodec, newWalletsMax, type ItemOperation } from '../step.ts'
import type { Completed } from './completion.ts'
import { refuse, type Judging } from './judging.ts'
import { certifiedKey, openNetworkOf, termsFor } from './key.ts'
import { objectOf, put, putName, textOf, type Write } from './writes.ts'

type NewWallet = Extract<ItemOperation, { kind: 'registration' }>['wallets'][number]

/** Who registers, by which operation, and what he handed in. */
export type Newcomer = Pick<Completed, 'match'> & {
  readonly user: Uint8Array
  readonly given: JsonObject
}

/**
 * The keys that a newcomer's registration makes, in the order of its wallets. Each is his from
 * before its first share, so that whoever knew the code may make wallets for him and none of his
 * for another.
 */
export function newcomerTerms(judging: Judging, newcomer: Newcomer): readonly KeyTerms[] {
  return networksOf(newcomer).map((network, index) =>
    termsFor(judging, openNetworkOf(judging, network), newcomer.user, index),
  )
}

/** The wallets of a registration, each on the key of its own that all signers have certified. */
export function bornWallets(
  judging: Judging,
  newcomer: Newcomer,
): { readonly wallets: readonly NewWallet[]; readonly writes: readonly Write[] } {
  const networks = networksOf(newcomer)
  const terms = newcomerTerms(judging, newcomer)
  const certificates = certificatesIn(judging.evidence.facts)
  if (certificates.length !== networks.length) refuse('each new wallet has one key certificate')
  const born = networks.map((network, index) => {
    const [asked, encoded] = [terms[index], certificates[index]]
    if (asked === undefined || encoded === undefined) return refuse('a key is missing')
    return bornWallet(judging, { network, terms: asked, encoded, index })
  })
  // An item does not see what it writes itself: no two of its keys may be one key of the pool.
  const certified = new Set(born.map(({ wallet }) => toHex(wallet.key.certificate)))
  if (certified.size < born.length) refuse('each new wallet has a key of its own')
  return {
    wallets: born.map(({ wallet }) => wallet),
    writes: born.flatMap(({ writes }) => writes),
  }
}

function bornWallet(
  judging: Judging,
  asked: {
    readonly network: string
    readonly terms: KeyTerms
    readonly encoded: Uint8Array
    readonly index: number
  },
) {
  const { network, terms, encoded, index } = asked
  const { record, certificate, writes } = certifiedKey(judging, terms, encoded)
  const [key, wallet] = [terms.key, idOf(judging.request, 'wallet', index)]
  return {
    wallet: { network, key: { terms, certificate, derivation: undefined } },
    writes: [
      put(keyTable, [key], { ...record, wallets: [{ network, wallet }] }),
      putName(judging, 'key', key),
      put(walletTable, [wallet], { key, network, tags: [] }),
      putName(judging, 'wallet', wallet),
      ...writes,
    ],
  }
}

function networksOf({ match, given }: Newcomer): readonly string[] {
  const { wallets = [] } = given
  if (!Array.isArray(wallets)) return refuse('wallets is not a list')
  if (wallets.length > newWalletsMax) refuse('too many wallets')
  if (wallets.length > 0 && match.name !== 'auth.registerEndUser')
    refuse('only an end user brings wallets')
  return wallets.map((wallet) => textOf(objectOf(wallet), 'network'))
}

/** Whoever brings no wallets rests on nothing. */
export function certificatesIn(facts: Uint8Array): readonly Uint8Array[] {
  return facts.length === 0 ? [] : decode(keyCertificatesCodec, facts)
}

/** What stands beside a registration that brings wallets. */
export function factsOf(certificates: readonly Uint8Array[]): Uint8Array {
  return certificates.length === 0
    ? new Uint8Array()
    : encode(keyCertificatesCodec, [...certificates])
}
