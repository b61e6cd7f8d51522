import { equalBytes } from '@quorate/core/bytes'
import { childIndexMax, readChildPath, writeChildPath, type ChildPath } from '../child-path.ts'
import type { KeyTerms } from '../key-certificate.ts'
import { childTable, nextChildTable } from '../records.ts'
import { isFrozen } from '../standing.ts'
import type { Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { judgeActive, judgeReach, type KeyRecord } from './ownership.ts'
import { put, type Write } from './writes.ts'

/**
 * A key that is a record and nothing else: where its master's shares are, it is. No signer does
 * anything for it, so that whoever may have it made has it from then on.
 *
 * @param text as it was asked for; the least free index where nothing was
 */
export function childKey(
  judging: Judging,
  { terms, master, text }: { terms: KeyTerms; master: KeyRecord; text: string | undefined },
): { readonly record: KeyRecord; readonly writes: readonly Write[] } {
  const { publicKey: parent, chainCode, certificate } = master
  if (master.terms.master !== 'yes' || chainCode === undefined)
    return refuse('the key is no master key')
  if (terms.scheme !== master.terms.scheme || terms.curve !== master.terms.curve)
    refuse('a derived key has the scheme and curve of its master')
  if (terms.untweaked !== master.terms.untweaked)
    refuse('a derived key is tweaked or not as its master is')
  if (judging.evidence.facts.length > 0) refuse('a derived key rests on no certificate of its own')
  const place = { judging, master: master.terms.key, key: terms.key }
  const path = text === undefined ? [nextOf(place)] : given(text)
  const publicKey = judging.rules.childOf({ publicKey: parent, chainCode }, path)
  if (publicKey === undefined) return refuse('there is no key at this path')
  const record: KeyRecord = {
    ...{ terms, certificate, publicKey, chainCode: undefined, wallets: [] },
    derivation: { master: master.terms.key, path },
    ...{ owner: terms.owner, delegableBy: undefined, status: 'active' },
  }
  return { record, writes: take(place, path) }
}

/** A master that the author may derive from, for himself or for somebody else. */
export function judgeMaster(judging: Judging, authored: Authored, master: KeyRecord): void {
  const { owner, delegableBy, terms } = master
  judgeActive(master)
  judgeReach(authored, master)
  // What is an end user's stays his alone, and so does all that is made of it.
  if (owner !== undefined && !equalBytes(owner, authored.user)) refuse("the key is another user's")
  if (delegableBy !== undefined && !equalBytes(delegableBy, authored.user))
    refuse('the key waits to be delegated')
  if (isFrozen(recordsOf(judging), terms.key)) refuse('the master key is frozen')
}

function given(text: string): ChildPath {
  const read = readChildPath(text)
  return read.ok ? read.path : refuse(`the path ${read.reason}`)
}

type Place = { readonly judging: Judging; readonly master: Uint8Array; readonly key: Uint8Array }

function nextOf({ judging, master }: Place): number {
  const next = find(judging, nextChildTable, master)?.index ?? 0
  return next <= childIndexMax ? next : refuse('no index is free')
}

function childAt({ judging, master }: Place, path: ChildPath) {
  return find(judging, childTable, master, writeChildPath(path))
}

/** A path has one key for ever: another one there would be the same. */
function take(place: Place, path: ChildPath): readonly Write[] {
  if (childAt(place, path) !== undefined) refuse('there is a key at this path')
  const [index = 0] = path
  if (path.length === 1) return takeIndex(place, index)
  return [put(childTable, nameOf(place, path), { key: place.key, runTo: 0 })]
}

/**
 * Indexes that were asked for may lie anywhere, and the least free one is to be found by few reads
 * however many there are. So those that follow one another are a run, both ends of which know the
 * other one; all below the least free one are taken and need none.
 */
function takeIndex(place: Place, index: number): readonly Write[] {
  const [before, after] = [index - 1, index + 1].map((at) =>
    at < 0 || at > childIndexMax ? undefined : childAt(place, [at]),
  )
  const [first, last] = [before?.runTo ?? index, after?.runTo ?? index]
  const own = (runTo: number) => put(childTable, nameOf(place, [index]), { key: place.key, runTo })
  if (index === nextOf(place))
    return [own(index), put(nextChildTable, [place.master], { index: last + 1 })]
  return [
    own(index === first ? last : first),
    ...(before === undefined ? [] : [toldEnd(place, first, last)]),
    ...(after === undefined ? [] : [toldEnd(place, last, first)]),
  ]
}

function toldEnd(place: Place, at: number, runTo: number): Write {
  const child = childAt(place, [at]) ?? refuse('a run of children has no end')
  return put(childTable, nameOf(place, [at]), { ...child, runTo })
}

function nameOf({ master }: Place, path: ChildPath): readonly [Uint8Array, string] {
  return [master, writeChildPath(path)]
}
