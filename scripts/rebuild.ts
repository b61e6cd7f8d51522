import { runProgram } from './run-program.ts'

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
  return runProgram(program, args)
}
