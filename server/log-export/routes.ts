import { exportJournal, exportLog, signaturesPerPage, stepsPerPage } from '@quorate/api/log'
import { cutPage, positionOf } from '@quorate/api/page'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { fromHex, toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import { bytesOf, countThatFits } from '../page.ts'

const { route } = routing<Caller>()

/** The log as it stands in the database: whoever exports it need not believe it. */
export function logRoutes({ database }: { readonly database: Database }): readonly Route<Caller>[] {
  return [
    route(exportLog, async ({ caller, query }) => listSteps(database, caller, query)),
    route(exportJournal, async ({ caller, query }) =>
      listSignatures(database, caller, query.paginationToken),
    ),
  ]
}

/** Stream by stream, each in its own order: no step stands before one that it follows. */
async function listSteps(
  database: Database,
  { organization }: Caller,
  query: { readonly streams: 'root' | 'others'; readonly paginationToken?: string | undefined },
) {
  const after = readPlace(query.paginationToken)
  const root = encode(streamCodec, rootOf(organization))
  const rows = database
    .selectFrom('steps')
    .where('organization', '=', organization)
    .where('stream', query.streams === 'root' ? '=' : '!=', root)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('stream', 'seq'), '>', eb.tuple(after.bytes, after.number)),
    )
    .orderBy('stream')
    .orderBy('seq')
  const weights = await rows.select(bytesOf('body', 'certificate')).limit(stepsPerPage).execute()
  const limit = countThatFits(weights, stepsPerPage)
  const found = await rows
    .select(['stream', 'seq', 'body', 'certificate'])
    .limit(limit + 1)
    .execute()
  const { items, ...next } = cutPage(found, limit, ({ stream, seq }) => place(stream, seq))
  return {
    items: items.map(({ body, certificate }) => ({
      body: toHex(body),
      certificate: toHex(certificate),
    })),
    ...next,
  }
}

async function listSignatures(
  database: Database,
  { organization }: Caller,
  paginationToken: string | undefined,
) {
  const after = readPlace(paginationToken)
  const rows = await database
    .selectFrom('signatures')
    .select(['request', 'digest', 'signature'])
    .where('organization', '=', organization)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('request', 'digest'), '>', eb.tuple(after.bytes, after.number)),
    )
    .orderBy('request')
    .orderBy('digest')
    .limit(signaturesPerPage + 1)
    .execute()
  const { items, ...next } = cutPage(rows, signaturesPerPage, ({ request, digest }) =>
    place(request, digest),
  )
  return {
    items: items.map(({ request, digest, signature }) => ({
      request: toHex(request),
      digest,
      signature: toHex(signature),
    })),
    ...next,
  }
}

const form = /^([0-9a-f]{2,128})\.([0-9]{1,15})$/

function place(bytes: Uint8Array, number: number): string {
  return `${toHex(bytes)}.${number}`
}

/** @throws Failure `body.malformed` for what no list of ours has given out */
function readPlace(token: string | undefined) {
  if (token === undefined) return undefined
  const [, hex, number] = form.exec(positionOf(token)) ?? []
  if (hex !== undefined && number !== undefined && hex.length % 2 === 0)
    return { bytes: fromHex(hex), number: Number(number) }
  const issues = [{ path: 'query.paginationToken', message: 'not a token of this list' }]
  throw new Failure('body.malformed', { issues })
}
