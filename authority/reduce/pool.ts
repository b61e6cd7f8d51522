import { equalBytes } from '@quorate/core/bytes'
import type { KeyTerms, PooledTerms } from '../key-certificate.ts'
import { pooledKeyTable } from '../records.ts'
import { find, refuse, type Judging, type Write } from './judging.ts'
import { put } from './writes.ts'

/**
 * Binds a key of the pool to what one request asks for. Its certificate says that all signers made
 * it for this organization and that nobody's it was; this record, in the one stream where such
 * things are exclusive, says that from now on it is this request's and no other's.
 */
export function bind(
  judging: Judging,
  asked: KeyTerms,
  { terms, certificate }: { readonly terms: PooledTerms; readonly certificate: Uint8Array },
): Write {
  if (!equalBytes(terms.organization, asked.organization))
    refuse("the pooled key is another organization's")
  if (terms.scheme !== asked.scheme || terms.curve !== asked.curve)
    refuse('the pooled key is of another kind')
  // What is derived from it could not be told from its certificate alone.
  if (asked.master === 'yes') refuse('a master key is born for its request')
  // So that its certificate, by all signers, says what its signatures mean.
  if (asked.untweaked === 'yes') refuse('an untweaked key is born for its request')
  if (judging.step.time > terms.bindBefore) refuse('the pooled key has waited too long')
  if (find(judging, pooledKeyTable, certificate) !== undefined)
    refuse('the pooled key is bound already')
  return put(pooledKeyTable, [certificate], { key: asked.key })
}
