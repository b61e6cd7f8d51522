import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { toHex } from '@quorate/core/bytes'
import { blobOf } from './store/row.ts'
import { openDatabase } from './store/sqlite.ts'

/**
 * `quorate steps <store> <file>`: the certified steps of a stopped signer's store, one line of JSON
 * each, as an exported log has them. For a server that has lost some, or all of them. They hold names
 * and payloads, and nothing of a share.
 *
 * @returns the exit code
 */
export function stepsCommand(args: readonly string[], print: (line: string) => void): number {
  const [store, file, ...others] = args
  if (store === undefined || file === undefined || others.length > 0) {
    print('usage: quorate steps <store file> <new file>, with the signer stopped')
    return 2
  }
  if (!existsSync(store)) throw new Error(`There is no ${store}.`)
  const db = openDatabase(store)
  const output = openSync(file, 'wx', 0o600)
  try {
    let count = 0
    for (const row of db.prepare('select body, certificate from steps').iterate()) {
      const [body, certificate] = [blobOf(row, 'body'), blobOf(row, 'certificate')]
      const step = { body: toHex(body), certificate: toHex(certificate) }
      writeSync(output, `${JSON.stringify({ step })}\n`)
      count += 1
    }
    print(`${count} steps in ${file}`)
    return 0
  } finally {
    db.close()
    closeSync(output)
  }
}

if (import.meta.main) {
  try {
    const print = (line: string) => process.stdout.write(`${line}\n`)
    process.exitCode = stepsCommand(process.argv.slice(2), print)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'Cannot read the store.'}\n`)
    process.exitCode = 1
  }
}
