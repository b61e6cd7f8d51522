import { readFileSync } from 'node:fs'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { rulesFor } from '@quorate/judge/rules'
import { rebuildDatabase } from './orgs/rebuild.ts'
import { rebuildSettings } from './settings.ts'

/**
 * `quorate rebuild server [--write]`: are the rows of a database what its certified steps come to?
 * Where it is stands in the environment, as for a server: an address may hold a password.
 *
 * @returns the exit code: 1 if they are not
 */
async function rebuildCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const write = args[0] === '--write'
  if (args.length > 1 || (args.length === 1 && !write)) {
    print('usage: quorate rebuild server [--write]')
    return 2
  }
  const { databaseUrl, manifestFile } = rebuildSettings()
  const manifest = readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519)
  const { steps, differences } = await rebuildDatabase(databaseUrl, rulesFor(manifest), { write })
  for (const difference of differences) print(`DIFFERENCE in ${difference}`)
  print(`${steps} steps, ${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await rebuildCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot rebuild.'}\n`)
  process.exitCode = 1
}
