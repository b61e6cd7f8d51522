import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Each store is rebuilt by the program that owns it, in a process of its own. */
const programs: Readonly<Record<string, URL>> = {
  signer: new URL('../signer/rebuild.ts', import.meta.url),
  server: new URL('../server/rebuild.ts', import.meta.url),
}

/** `quorate rebuild <signer | server> ...`: is a store what its log comes to? */
export async function rebuildCommand(
  [name = '', ...args]: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined
  if (program === undefined) {
    print(`usage: quorate rebuild ${Object.keys(programs).join(' | ')}`)
    return 2
  }
  const child = spawn(process.execPath, [fileURLToPath(program), ...args], { stdio: 'inherit' })
  const [code] = await once(child, 'close')
  return typeof code === 'number' ? code : 1
}
