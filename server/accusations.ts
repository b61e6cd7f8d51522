import { dismiss, readAccusations } from './coordinator/faults.ts'
import { type Database, openDatabase } from './database/database.ts'
import { accusationsSettings } from './settings.ts'

const usage = `usage: quorate accusations [command], with SERVER_DATABASE_URL; servers may be running
  (nothing)         who has found wrong what another signer has sent, by which check
  dismiss <number>  what is held against this signer has been looked at: no ban is proposed for it`

/**
 * `quorate accusations`: an operator's word on what signers have said of each other. It changes whom a
 * server likes to choose and what it shows; whom signers sign with is theirs (`quorate peers`).
 *
 * @returns the exit code: 1 if there was nothing to be changed
 */
async function accusationsCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const [name, number = '', ...rest] = args
  const isCommand = name === 'dismiss' && /^[1-9][0-9]?$/.test(number) && rest.length === 0
  if (name !== undefined && !isCommand) {
    print(usage)
    return 2
  }
  const database = openDatabase(accusationsSettings().databaseUrl, (error) =>
    print(`A connection broke: ${error.name}`),
  )
  try {
    return await (isCommand ? end(database, Number(number), print) : list(database, print))
  } finally {
    await database.destroy()
  }
}

async function list(database: Database, print: (line: string) => void): Promise<number> {
  for (const { accuser, accused, reason, last_at: at } of await readAccusations(database))
    print(`signer ${accused}: ${reason}, says signer ${accuser}, ${new Date(at).toISOString()}`)
  return 0
}

async function end(database: Database, signer: number, print: (line: string) => void) {
  const count = await dismiss(database, signer)
  if (count === 0) return 1
  print(`signer ${signer}: ${count} ${count === 1 ? 'accusation' : 'accusations'} dismissed`)
  return 0
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await accusationsCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot read the database.'}\n`)
  process.exitCode = 1
}
