import { appendFileSync, createReadStream, openSync, rmSync, closeSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { exportLog } from '@quorate/client/export-log'

/**
 * `quorate export-log <base url> <file>`, with the bearer token of somebody who may read logs in
 * `QUORATE_TOKEN`. The file holds names and payloads: it is for its owner alone.
 */
export async function exportLogCommand(
  [baseUrl, file]: readonly string[],
  authToken: string | undefined,
  print: (line: string) => void,
): Promise<number> {
  if (baseUrl === undefined || file === undefined || authToken === undefined) {
    print('usage: QUORATE_TOKEN=<token> quorate export-log <base url> <file>')
    return 2
  }
  const rest = `${file}.rest`
  const output = openSync(file, 'wx', 0o600)
  closeSync(openSync(rest, 'wx', 0o600))
  try {
    const lines = exportLog(
      { baseUrl, authToken },
      {
        put: async (line) => appendFileSync(rest, `${line}\n`),
        all: () => createInterface({ input: createReadStream(rest, 'utf8'), crlfDelay: Infinity }),
      },
    )
    let count = 0
    for await (const line of lines) {
      writeSync(output, `${line}\n`)
      count += 1
    }
    print(`${count - 1} entries in ${file}`)
    return 0
  } finally {
    closeSync(output)
    rmSync(rest, { force: true })
  }
}
