import { encode, hash32, struct, tag, u8 } from '@quorate/core/codec'
import { equalBytes, toHex } from '@quorate/core/bytes'
import { decodePair, type PairState } from '@quorate/threshold/ecdsa/pair'
import type { Abort, Party } from '@quorate/threshold/session'
import type { CeremonyDeps } from './deps.ts'

/** Whose pair with whom: another row, signer or organization cannot be put in its place. */
const owner = struct({
  format: tag('quorate/pair-of/1'),
  signer: u8,
  peer: u8,
  organization: hash32,
  epoch: hash32,
})

/** Bets on bits are few in a pair's life, and a lucky one ends with it: dkls23.md sections 2 and 3. */
const lifeMs = 30 * 24 * 3_600_000
/** Two in each of 2^20 sessions: of the extension, and of the products. */
const testsMax = 2 ** 21

type Of = { readonly organization: Uint8Array; readonly peer: Party }

/**
 * @param secret as `encodePair` has it; overwritten here
 * @returns false when a pair is there that must not be replaced: then nothing has changed
 */
export function keepPair(
  deps: CeremonyDeps,
  of: Of & { readonly born: number },
  { epoch, secret }: { readonly epoch: Uint8Array; readonly secret: Uint8Array },
): boolean {
  const { store, keyEncryption } = deps
  const { born } = of
  const sealed = keyEncryption.wrap(secret, associatedWith(deps, of, epoch))
  secret.fill(0)
  store.pairs.put(of, { epoch, born, sealed })
  const kept = store.pairs.find(of)
  return kept !== undefined && equalBytes(kept.epoch, epoch)
}

export type Paired =
  | { readonly ok: true; readonly pairs: ReadonlyMap<Party, PairState> }
  | { readonly ok: false; readonly peers: readonly Party[]; readonly burned: readonly Party[] }

/** @param now by this signer's clock: a pair that is too old, or used too often, is missing */
export function openPairs(
  deps: CeremonyDeps,
  { organization, now }: { readonly organization: Uint8Array; readonly now: number },
  peers: readonly Party[],
): Paired {
  const pairs = new Map<Party, PairState>()
  const [missing, burned]: [Party[], Party[]] = [[], []]
  for (const peer of peers) {
    const of = { organization, peer }
    const kept = deps.store.pairs.find(of)
    if (kept?.status === 'burned') burned.push(peer)
    const isFresh = kept && now - kept.born <= lifeMs && kept.tests + 2 <= testsMax
    const plaintext =
      kept?.status === 'usable' && isFresh
        ? deps.keyEncryption.unwrap(kept.sealed, associatedWith(deps, of, kept.epoch))
        : undefined
    if (plaintext === undefined) {
      missing.push(peer)
      continue
    }
    pairs.set(peer, decodePair(plaintext))
    plaintext.fill(0)
  }
  return missing.length > 0 ? { ok: false, peers: missing, burned } : { ok: true, pairs }
}

/** In the transaction behind the answer: whoever lost a bet has no other one. */
export function burnPairs(
  { store, log }: CeremonyDeps,
  organization: Uint8Array,
  { reason, burned: peers }: Abort,
): void {
  if (peers.length === 0) return
  for (const peer of peers) store.pairs.burn({ organization, peer })
  log({ event: 'pair-burned', organization: toHex(organization), reason, peers })
}

function associatedWith(
  { self }: CeremonyDeps,
  { organization, peer }: Of,
  epoch: Uint8Array,
): Uint8Array {
  return encode(owner, { signer: self.index, peer, organization, epoch })
}
