import { readFileSync } from 'node:fs'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { rulesFor } from '@quorate/judge/rules'
import { rebuildStore, type Rebuilt } from './store/rebuild.ts'

/**
 * `quorate rebuild signer <store> <manifest> [--write]`: are a signer's records what its certified
 * steps come to? The signer must not run meanwhile: it holds the lock on its store.
 *
 * @returns the exit code: 1 if they are not
 */
export function rebuildCommand(args: readonly string[], print: (line: string) => void): number {
  const [store, manifestFile, ...options] = args
  const write = options[0] === '--write'
  const isKnown = options.length === 0 || (options.length === 1 && write)
  if (store === undefined || manifestFile === undefined || !isKnown) {
    print('usage: quorate rebuild signer <store file> <manifest file> [--write]')
    return 2
  }
  const manifest = readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519)
  const rebuilt = rebuildStore(store, rulesFor(manifest), { write })
  for (const line of report(rebuilt)) print(line)
  return rebuilt.differences.length === 0 ? 0 : 1
}

function report({ steps, records, differences }: Rebuilt): readonly string[] {
  return [
    ...differences.map(({ organization, what }) => `DIFFERENCE in ${organization}: ${what}`),
    `${steps} steps make ${records} records, ${differences.length} organizations differ`,
  ]
}

if (import.meta.main) {
  try {
    const print = (line: string) => process.stdout.write(`${line}\n`)
    process.exitCode = rebuildCommand(process.argv.slice(2), print)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'Cannot rebuild.'}\n`)
    process.exitCode = 1
  }
}
