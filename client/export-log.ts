import { memberOf, request } from './session.ts'
import { Untrusted } from './trust.ts'
import type { ExportedSignature, ExportedStep } from './verify-log.ts'

type Source = { readonly baseUrl: string; readonly authToken: string }

/** More pages than this no organization has; a server that never ends is one that misleads. */
const pagesMax = 1_000_000

/**
 * Everything that `verifyLog` needs, as lines of JSON in the order in which it needs them. Root
 * steps are fetched last and given first: what a use of a key rests on is then always among them.
 *
 * @param keep where the other streams wait meanwhile; a file, for large logs
 */
export async function* exportLog(
  source: Source,
  keep: {
    readonly put: (line: string) => Promise<void>
    readonly all: () => AsyncIterable<string>
  },
): AsyncGenerator<string> {
  yield JSON.stringify({ format: 'quorate/log/1', trust: await trustOf(source) })
  for await (const step of pages(source, '/orgs/log?streams=others', stepOf))
    await keep.put(JSON.stringify({ step }))
  for await (const signature of pages(source, '/orgs/journal', signatureOf))
    await keep.put(JSON.stringify({ signature }))
  for await (const step of pages(source, '/orgs/log?streams=root', stepOf))
    yield JSON.stringify({ step })
  yield* keep.all()
}

async function trustOf({ baseUrl, authToken: token }: Source) {
  const answer = await request(baseUrl, { method: 'GET', path: '/orgs/trust', token })
  return {
    preimage: memberOf(answer, 'preimage'),
    payload: memberOf(answer, 'payload'),
    salt: memberOf(answer, 'salt'),
    manifest: memberOf(answer, 'manifest'),
  }
}

async function* pages<T>(
  { baseUrl, authToken: token }: Source,
  path: string,
  read: (item: unknown) => T,
): AsyncGenerator<T> {
  let next: string | undefined
  for (let page = 0; page < pagesMax; page++) {
    const mark = path.includes('?') ? '&' : '?'
    const more = next === undefined ? '' : `${mark}paginationToken=${encodeURIComponent(next)}`
    const answer: unknown = await request(baseUrl, { method: 'GET', path: path + more, token })
    const { items, nextPageToken } = Object(answer) as {
      readonly items?: unknown
      readonly nextPageToken?: unknown
    }
    if (!Array.isArray(items)) throw new Untrusted('The log has no items.')
    yield* items.map(read)
    if (typeof nextPageToken !== 'string') return
    next = nextPageToken
  }
  throw new Untrusted('The log has no end.')
}

function stepOf(item: unknown): ExportedStep {
  return { body: memberOf(item, 'body'), certificate: memberOf(item, 'certificate') }
}

function signatureOf(item: unknown): ExportedSignature {
  const digest: unknown = (Object(item) as { readonly digest?: unknown }).digest
  if (typeof digest !== 'number') throw new Untrusted('A signature has no number.')
  return { request: memberOf(item, 'request'), digest, signature: memberOf(item, 'signature') }
}
