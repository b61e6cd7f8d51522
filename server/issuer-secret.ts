import { readFileSync } from 'node:fs'
import { settingsTable, decodeRecord, recordKey } from '@quorate/authority/records'
import type { Issuer } from '@quorate/authority/settings'
import { rootOf } from '@quorate/authority/stream'
import { keepIssuerSecret } from './auth/federation.ts'
import { openTokens } from './auth/tokens.ts'
import { Ledger } from './coordinator/ledger.ts'
import { openDatabase, type Database } from './database/database.ts'
import { issuerSecretSettings } from './settings.ts'

const usage = [
  'usage: quorate issuer-secret <organization> <issuer> <client id> [file]',
  'The secret is read from the file, or from standard input; never from an argument, which shows.',
].join('\n')
/** As long as any that a provider hands out, and far below what a table should hold. */
const secretLengthMax = 1_024

/**
 * `quorate issuer-secret ...`: what a client of ours proves itself with to an identity provider.
 * Database and key are named in the environment, as for a server.
 *
 * @returns the exit code
 */
async function issuerSecretCommand(
  [orgId, issuer, clientId, file, ...rest]: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  if (orgId === undefined || issuer === undefined || clientId === undefined || rest.length > 0) {
    print(usage)
    return 2
  }
  const { databaseUrl, tokenKeyFile } = issuerSecretSettings()
  const secret = lineOf(file === undefined ? await standardInput() : readFileSync(file, 'utf8'))
  const tokens = await openTokens(readFileSync(tokenKeyFile, 'utf8'))
  const database = openDatabase(databaseUrl, (error) => print(`A connection broke: ${error.name}`))
  try {
    const organization = await organizationWith(database, orgId, { issuer, clientId })
    const client = { organization, issuer, clientId, secret }
    await keepIssuerSecret({ database, tokens }, client)
  } finally {
    await database.destroy()
  }
  print(`The secret of ${clientId} with ${issuer} is kept, sealed under the key of tokens.`)
  return 0
}

async function standardInput(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += String(chunk)
    if (text.length > 2 * secretLengthMax) break
  }
  return text
}

/** As editors and `echo` write it. */
function lineOf(text: string): string {
  const secret = text.replace(/\r?\n$/, '')
  if (secret === '' || secret.length > secretLengthMax || /[\r\n]/.test(secret))
    throw new Error(`That is no secret: it has 1 to ${secretLengthMax} characters, in one line.`)
  return secret
}

/** @throws Error when its settings know of no such client: a secret for a misspelt one is lost */
async function organizationWith(
  database: Database,
  orgId: string,
  { issuer, clientId }: { readonly issuer: string; readonly clientId: string },
): Promise<Uint8Array> {
  const row = await database
    .selectFrom('organizations')
    .select('id')
    .where('org_id', '=', orgId)
    .executeTakeFirst()
  if (row === undefined) throw new Error(`There is no organization ${orgId}.`)
  const isOurs = (one: Issuer) => one.issuer === issuer && one.clientIds.includes(clientId)
  if (!(await issuersOf(database, row.id)).some(isOurs))
    throw new Error(`The settings of ${orgId} name no client ${clientId} with ${issuer}.`)
  return row.id
}

async function issuersOf(database: Database, organization: Uint8Array): Promise<readonly Issuer[]> {
  const name = recordKey(settingsTable)
  const place = { organization, stream: rootOf(organization) }
  const ledger = new Ledger(database)
  const found = await ledger.records(place, [name], await ledger.headSeq(place))
  const value = found.get(name)
  return value === undefined ? [] : decodeRecord(settingsTable, value).issuers
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await issuerSecretCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Nothing was kept.'}\n`)
  process.exitCode = 1
}
