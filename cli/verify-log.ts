import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { verifyExport } from '@quorate/client/read-export'
import type { Accounted, Verdict } from '@quorate/client/verify-log'

/**
 * `quorate verify-log <file> <genesis>`: for each signature ever made, which credential signed
 * which request under which permission. Needs no server; says where a log was tampered with.
 *
 * @returns the exit code: 1 if anything does not follow
 */
export async function verifyLogCommand(
  [file, genesis]: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  if (file === undefined || genesis === undefined || !/^[0-9a-f]{64}$/.test(genesis)) {
    print('usage: quorate verify-log <file> <genesis, 64 hex digits>')
    return 2
  }
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })
  const verdict = await verifyExport(lines, genesis)
  for (const line of report(verdict)) print(line)
  return verdict.faults.length === 0 ? 0 : 1
}

export function report({ steps, signatures, faults, heads }: Verdict): readonly string[] {
  return [
    ...signatures.map(told),
    ...faults.map(({ at, reason }) => `FAULT at ${at}: ${reason}`),
    ...heads.map(({ stream, seq, hash }) => `head of ${stream}: ${seq} ${hash}`),
    `${steps} steps, ${signatures.length} signatures, ${faults.length} faults`,
  ]
}

function told(one: Accounted): string {
  const by = one.token === undefined ? one.user : `${one.user} through ${one.token}`
  const made = one.signature === undefined ? 'never made' : one.signature.slice(0, 16)
  return [
    `${one.stream} ${one.seq}: ${made} over ${one.digest} on ${one.network || 'no network'}`,
    `  ${one.operation}, request ${one.request}, by ${by}`,
    `  credentials ${one.credentials.join(', ')}; permissions ${one.permissions.join(', ')}`,
  ].join('\n')
}
