import pg from 'pg'
import { fillLists, type Filled } from './fill.ts'
import { heading, line, timed, timesOf } from './measure.ts'
import { explainRequests } from './plans.ts'
import type { BenchPlatform } from './platform.ts'

type List = {
  readonly path: string
  readonly table: string
  readonly order: string
  /** What names the next page after a row. */
  readonly token: string
  /** Rows that the list leaves out are of another owner. */
  readonly of: string
}

/** The page size of a client that names none. */
const limit = 50
/** So that the slowest one in a hundred is not a single one. */
const runs = 200

/** Pages of the organization's large lists, asked of the running server as any client does. */
export async function benchLists(
  platform: BenchPlatform,
  rows: number,
  say: (text: string) => void,
): Promise<void> {
  const database = new pg.Client({ connectionString: platform.databaseUrl })
  await database.connect()
  try {
    const { ms, value: filled } = await timed(() => fillLists(platform, database, rows))
    const { walletId } = filled
    say(`\nFilled in ${(ms / 1000).toFixed(0)} s: ${rows} rows more in each of four tables`)
    say(heading(`Pages of ${limit}, milliseconds`))
    const get = (path: string) => getJson(platform, path)
    await timesOf(runs, () => get(`/wallets/${walletId}`))
    say(line('one wallet, for comparison', await timesOf(runs, () => get(`/wallets/${walletId}`))))
    const ofWallet = `wallet = (select id from wallets where wallet_id = '${walletId}')`
    const lists: readonly List[] = [
      { path: '/wallets', table: 'wallets', ...newestBy('created_at'), of: 'true' },
      { path: '/keys', table: 'keys', ...newestBy('created_at'), of: 'true' },
      ...['transfers', 'history'].map((name) => ({
        path: `/wallets/${walletId}/${name}`,
        table: name === 'history' ? ('history' as const) : ('outgoing' as const),
        ...newestBy(name === 'history' ? 'block_number' : 'created_at'),
        of: ofWallet,
      })),
      {
        path: `/wallets/${walletId}/history?kind=NativeTransfer&direction=Out`,
        ...{ table: 'history', ...newestBy('block_number') },
        of: `${ofWallet} and kind = 'NativeTransfer' and direction = 'Out'`,
      },
      {
        path: '/wallets/all/history?startTime=2020-01-01&endTime=2100-01-01',
        ...{ table: 'history', order: 'time desc, id desc, wallet desc', of: 'canonical' },
        token: `time || '.' || encode(id, 'hex') || '.' || encode(wallet, 'hex')`,
      },
      {
        ...{ path: '/orgs/balances', table: 'balances', order: 'wallet, kind, contract, token_id' },
        token: `encode(wallet, 'hex') || ',' || kind || ',' || contract || ',' || token_id`,
        of: 'held <> 0',
      },
    ]
    for (const list of lists) await benchList(platform, { database, list, filled }, say)
  } finally {
    await database.end()
  }
}

async function benchList(
  platform: BenchPlatform,
  ask: { readonly database: pg.Client; readonly list: List; readonly filled: Filled },
  say: (text: string) => void,
): Promise<void> {
  const { database, list, filled } = ask
  // The chain is followed meanwhile, which knows nothing of the copies: it may add a row that tells so.
  const count = await countOf(database, list)
  const name = list.path.replace(filled.walletId, '…').replace(/\?startTime.*/, '')
  const tokenAfter = (place: number) => tokenOf(database, list, place)
  const first = await getJson(platform, list.path)
  const past = `${list.path}${list.path.includes('?') ? '&' : '?'}paginationToken=`
  if (first.nextPageToken !== (await tokenAfter(limit)))
    throw new Error(`The page tokens of ${name} are not made as this benchmark makes them.`)
  const pages = {
    first: list.path,
    middle: `${past}${await tokenAfter(Math.floor(count / 2))}`,
    last: `${past}${await tokenAfter(count - limit)}`,
  }
  const last = await getJson(platform, pages.last)
  if (last.items.length !== limit || last.nextPageToken !== undefined)
    throw new Error(`The last page of ${name} is not the last.`)
  for (const [which, path] of Object.entries(pages)) {
    await timesOf(3, () => getJson(platform, path))
    say(line(`${name}, ${which} page`, await timesOf(runs, () => getJson(platform, path))))
  }
  const plan = await explainRequests(platform, database, {
    table: list.table,
    request: async () => {
      for (const path of Object.values(pages)) await getJson(platform, path)
    },
  })
  say(`    ${plan}`)
}

async function countOf(database: pg.Client, { table, of }: List): Promise<number> {
  const { rows } = await database.query(`select count(*) from ${table} where ${of}`)
  return Number(rows[0].count)
}

type Page = { readonly items: readonly unknown[]; readonly nextPageToken?: string }

async function getJson({ file }: BenchPlatform, path: string): Promise<Page> {
  const { baseUrl, serviceAccount } = file
  const headers = { authorization: `Bearer ${serviceAccount.authToken}` }
  const answer = await fetch(new URL(path, baseUrl), { headers })
  if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Page
}

/** Newest first: a time or number, then the id. */
function newestBy(by: string): Pick<List, 'order' | 'token'> {
  return { order: `${by} desc, id desc`, token: `${by} || '.' || encode(id, 'hex')` }
}

/** What the page that ends with the row at this place (from 1) would name as the next one. */
async function tokenOf(database: pg.Client, { table, order, token, of }: List, place: number) {
  const { rows } = await database.query<{ token: string }>(
    `select ${token} as token from ${table} where ${of}
     order by ${order} offset ${place - 1} limit 1`,
  )
  const [row] = rows
  if (row === undefined) throw new Error(`${table} has no row ${place}`)
  return Buffer.from(row.token).toString('base64url')
}
