import { createInterface } from 'node:readline/promises'
import { approveCommand } from '@quorate/cli/approve'
import { exportLogCommand } from '@quorate/cli/export-log'
import { freezeCommand } from '@quorate/cli/freeze'
import { mailboxCommand } from '@quorate/cli/mailbox'
import { passkeyCommand } from '@quorate/cli/passkey'
import { verifyLogCommand } from '@quorate/cli/verify-log'

import { rebuildCommand } from './rebuild.ts'
import { runProgram } from './run-program.ts'
import { commandToken } from './settings.ts'

type Command = (args: readonly string[], print: (line: string) => void) => Promise<number>

/** It runs where the server's key is. */
const issuerSecret = new URL('../server/issuer-secret.ts', import.meta.url)

/** It runs where the server's database can be reached. */
const accusations = new URL('../server/accusations.ts', import.meta.url)

/** What it prints is of the server's chains. */
const accountContract = new URL('../server/account-contract.ts', import.meta.url)

/** It runs where the file of nodes is. */
const doctor = new URL('../server/doctor.ts', import.meta.url)

/** It runs where the signer's store is. */
const peers = new URL('../signer/peers.ts', import.meta.url)

/** It runs where the signer's store is, too. */
const steps = new URL('../signer/steps.ts', import.meta.url)

/** `npm run quorate -- <command>`: each prints its own usage. */
const commands: Readonly<Record<string, Command>> = {
  'export-log': (args, print) => exportLogCommand(args, commandToken(process.env), print),
  'verify-log': verifyLogCommand,
  rebuild: rebuildCommand,
  'issuer-secret': (args) => runProgram(issuerSecret, args),
  accusations: (args) => runProgram(accusations, args),
  'account-contract': (args) => runProgram(accountContract, args),
  doctor: (args) => runProgram(doctor, args),
  peers: (args) => runProgram(peers, args),
  steps: (args) => runProgram(steps, args),
  approve: (args, print) => approveCommand(args, commandToken(process.env), { print, ask }),
  freeze: (args, print) => freezeCommand(args, { print, ask }),
  mailbox: mailboxCommand,
  passkey: (args, print) => passkeyCommand(args, { print, ask }),
}

export async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return command(args, console.log)
  console.log(`usage: quorate ${Object.keys(commands).join(' | ')}`)
  return 2
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}
