import { sql } from 'kysely'
import type { Database } from '../database.ts'
import type { Tables } from '../tables.ts'

/** From now on a statement fails that changes or deletes more rows of a table than `rowsMax`. */
export async function forbidMany(
  database: Database,
  table: keyof Tables & string,
  rowsMax: number,
): Promise<void> {
  await sql`create or replace function count_some() returns trigger language plpgsql as $$
    begin
      if (select count(*) from touched) > tg_argv[0]::int then
        raise exception 'a statement has touched too many rows';
      end if;
      return null;
    end $$`.execute(database)
  for (const does of ['update', 'delete'])
    await sql
      .raw(
        `create trigger some_${does} after ${does} on ${table} referencing old table as touched
         for each statement execute function count_some(${rowsMax})`,
      )
      .execute(database)
}
