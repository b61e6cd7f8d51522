import { readFileSync } from 'node:fs'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { rulesFor } from '@quorate/judge/rules'
import { enterSteps, type Entered } from './orgs/enter-steps.ts'
import { rebuildDatabase } from './orgs/rebuild.ts'
import { rebuildSettings } from './settings.ts'

const usage = `usage: quorate rebuild server [--from <file>] [--write]
  with SERVER_DATABASE_URL and SERVER_MANIFEST_FILE, and with the server stopped where it writes.
  --from  steps that the database lacks: of \`quorate steps\` at a signer, or an exported log`

/**
 * `quorate rebuild server`: are the rows of a database what its certified steps come to? And, with
 * `--from`, does it lack steps that signers have?
 * Where it is stands in the environment, as for a server: an address may hold a password.
 *
 * @returns the exit code: 1 if they are not, or if it does
 */
async function rebuildCommand(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const [from, file = '', ...others] = args[0] === '--from' ? args : ['', '', ...args]
  const write = others[0] === '--write'
  if (others.length > (write ? 1 : 0) || (from !== '' && (file === '' || file.startsWith('--')))) {
    print(usage)
    return 2
  }
  const { databaseUrl, manifestFile } = rebuildSettings()
  const rules = rulesFor(readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519))
  if (from !== '')
    return report(await enterSteps(databaseUrl, rules, file, { write }), print, write)
  const { steps, differences } = await rebuildDatabase(databaseUrl, rules, { write })
  for (const difference of differences) print(`DIFFERENCE in ${difference}`)
  print(`${steps} steps, ${differences.length} differences`)
  return differences.length === 0 ? 0 : 1
}

function report(
  { steps, missing, faults }: Entered,
  print: (line: string) => void,
  write: boolean,
): number {
  for (const fault of faults) print(`FAULT at ${fault}`)
  print(`${steps} steps were there, ${missing} ${write ? 'entered' : 'are missing'}`)
  return faults.length === 0 && (write || missing === 0) ? 0 : 1
}

try {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  process.exitCode = await rebuildCommand(process.argv.slice(2), print)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'Cannot rebuild.'}\n`)
  process.exitCode = 1
}
