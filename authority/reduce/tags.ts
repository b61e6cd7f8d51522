import type { Json } from '@quorate/core/json'
import { tagsMax, walletTable } from '../records.ts'
import { isTag } from '../tag.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging } from './judging.ts'
import { judgeActive, namedKey } from './ownership.ts'
import { objectOf, put, type Reduced } from './writes.ts'

/** `PUT` and `DELETE /wallets/:walletId/tags` */
export function reduceTags(judging: Judging, { match, body }: Authored): Reduced {
  judgeActive(namedKey(judging, 'walletId'))
  const id = subjectId(judging, 'walletId')
  const wallet = find(judging, walletTable, id) ?? refuse('there is no such wallet')
  const given = readTags(objectOf(body)['tags'])
  const tags =
    match.name === 'wallets.tagWallet'
      ? together(wallet.tags, given)
      : wallet.tags.filter((tag) => !given.includes(tag))
  return {
    operation: { kind: 'tags', wallet: id, tags },
    writes: [put(walletTable, [id], { ...wallet, tags })],
  }
}

/** The tags that a wallet is born with. */
export function bornTags(given: Json | undefined): readonly string[] {
  return given === undefined ? [] : together([], readTags(given))
}

/** In the order in which they were given, each once. */
function together(before: readonly string[], given: readonly string[]): readonly string[] {
  const tags = [...new Set([...before, ...given])]
  return tags.length <= tagsMax ? tags : refuse(`more than ${tagsMax} tags`)
}

function readTags(given: Json | undefined): readonly string[] {
  if (!Array.isArray(given) || given.length > tagsMax) return refuse('the tags are not a list')
  return given.map((tag: Json) =>
    typeof tag === 'string' && isTag(tag)
      ? tag
      : refuse('a tag is not of 1 to 100 printable bytes'),
  )
}
