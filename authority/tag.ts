import { toUtf8 } from '@quorate/core/bytes'

/** No control characters: the one category of Unicode that no later version of it changes. */
const form = /^\P{Cc}+$/u
export const tagBytesMax = 100

/** A word that a wallet bears, for rules that go by it. */
export function isTag(text: string): boolean {
  return form.test(text) && toUtf8(text).length <= tagBytesMax
}
