import { list, u32 } from '@quorate/core/codec'

/**
 * Where a derived key stands under its master: BIP 32's `m/0/7`, as numbers. Those from 2^31 on are
 * BIP 32's hardened ones, which take the whole private key to derive; nobody has that.
 */
export type ChildPath = readonly number[]

export const childIndexMax = 2 ** 31 - 1
/** Twice what BIP 44 needs. Each level costs every judge a multiplication. */
export const childLevelsMax = 10
/** The longest that can be meant. */
const textMax = 'm'.length + childLevelsMax * '/2147483647'.length
const indexForm = /^(?:0|[1-9][0-9]{0,9})$/
const hardenedForm = /^(?:[0-9]{1,10}['hH])$/

export const childPathCodec = list(u32, childLevelsMax, 1)

export type ReadPath =
  | { readonly ok: true; readonly path: ChildPath }
  | { readonly ok: false; readonly reason: string }

/** One text for one path: neither leading zeros nor another spelling of the root. */
export function readChildPath(text: string): ReadPath {
  const [root, ...levels] = text.length > textMax ? [] : text.split('/')
  if (root !== 'm' || levels.length === 0) return { ok: false, reason: 'is not of the form m/0/7' }
  if (levels.length > childLevelsMax)
    return { ok: false, reason: `has more than ${childLevelsMax} levels` }
  const indexes = levels.map((level) => (indexForm.test(level) ? Number(level) : undefined))
  if (levels.some((level) => hardenedForm.test(level)))
    return { ok: false, reason: 'is hardened: that takes the whole private key, which nobody has' }
  const path = indexes.flatMap((index) => index ?? [])
  return path.length === levels.length && path.every((index) => index <= childIndexMax)
    ? { ok: true, path }
    : { ok: false, reason: `has levels other than numbers from 0 to ${childIndexMax}` }
}

export function writeChildPath(path: ChildPath): string {
  return ['m', ...path].join('/')
}
