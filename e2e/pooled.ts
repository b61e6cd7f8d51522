import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyStatementHash, readBirth } from '@quorate/authority/key-certificate'
import { fromHex, toHex } from '@quorate/core/bytes'
import pg from 'pg'
import { type Platform, until } from './platform.ts'

/** Four births, each of some hundred milliseconds, on a machine that does ten things at once. */
const filledMsMax = 120_000

/** How a wallet's key was born, and the name that signers know the birth by. */
export function birthOf(wallet: object) {
  const { kind, signed } = readBirth(fromHex(String(Object(wallet)['certificate'])))
  return { kind, name: toHex(keyStatementHash(signed)) }
}

/** Until the server has so many keys of a curve for whoever asks next. */
export function filled(platform: Platform, curve: string, size: number): Promise<void> {
  const isFull = async () => (await waiting(platform, curve)).length > size / 2
  return until(`${size} keys on ${curve} wait`, filledMsMax, isFull)
}

/** The names of the births that nobody has been promised. No answer of the API tells of them. */
export async function waiting(platform: Platform, curve: string): Promise<readonly string[]> {
  const text = 'select statement_hash from pooled_keys where curve = $1'
  const rows = await query(platform, text, [curve])
  return rows.map(({ statement_hash: name }) => toHex(name))
}

/** Of those that somebody was promised and has not got. */
export async function promised(platform: Platform): Promise<readonly string[]> {
  const text = `select statement_hash from key_certificates
    where (organization, key) not in (select organization, id from keys)`
  const rows = await query(platform, text, [])
  return rows.map(({ statement_hash: name }) => toHex(name))
}

async function query({ dataDir }: Platform, text: string, values: readonly string[]) {
  const read = (...path: string[]) => readFileSync(join(dataDir, ...path), 'utf8')
  const socket = encodeURIComponent(read('socket-folder'))
  const connectionString = `postgresql://quorate:${read('postgres', 'password')}@${socket}/quorate`
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<{ statement_hash: Uint8Array }>(text, [...values])).rows
  } finally {
    await client.end()
  }
}
