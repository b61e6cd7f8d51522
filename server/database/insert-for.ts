import { type RawBuilder, sql } from 'kysely'
import type { Tables } from './tables.ts'

/**
 * A row for each that another part of the same statement gives, `insert … select … from`: what is
 * written together or not at all then needs one statement and no transaction.
 */
export function insertFor<T extends keyof Tables & string>(
  from: string,
  table: T,
  row: Tables[T],
): RawBuilder<unknown> {
  const columns = Object.keys(row).map((name) => sql.ref(name))
  return sql`insert into ${sql.table(table)} (${sql.join(columns)})
    select ${sql.join(Object.values(row))} from ${sql.table(from)}`
}
