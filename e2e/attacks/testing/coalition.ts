import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from '@quorate/devnet/child'
import { signerEnvironment } from '@quorate/scripts/environments'
import { provision, type Cluster as Files } from '@quorate/scripts/provision'
import { clusterIn, entry } from '@quorate/signer/testing/cluster'
import { type Dialled, type LinkServer, openLinkServer } from '@quorate/signer/testing/link-server'
import { setUpAllPairs } from '@quorate/signer/testing/signing'
import { type Desk, World } from '@quorate/signer/testing/world'

/** The one signer that is in the coalition: its key and its store are the attacker's. */
export const corrupt = 4
export const honest: readonly number[] = [1, 2, 3]

/**
 * Everybody that the promise is made against: the server's place on the link port, taken with the
 * server's own key, its database (`world.ledger`), and one signer. Opposite stand the programs that
 * `npm start` runs as signers, unchanged.
 */
export type Coalition = {
  readonly world: World
  /** Where a signer takes its calls. */
  desk(index: number): Desk
  /** A second life of the corrupt signer, on a copy of its store: it can live in two worlds. */
  cloneCorrupt(): Promise<Desk>
  close(): Promise<void>
}

const program = fileURLToPath(new URL('../../../signer/main.ts', import.meta.url))
/** The steps of a hostile server bear the time of the signers' own clocks, or nobody listens. */
const clockMs = 20

export async function openCoalition(): Promise<Coalition> {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-attack-'))
  const files = await provision(join(dir, 'cluster'), new Date())
  const link = await openLinkServer(serverTls(files))
  const world = new World({ real: [], cluster: clusterIn(files), now: Date.now() })
  const clock = setInterval(() => (world.now = Date.now()), clockMs)
  const { run, stop, said } = signersOf(files, link)
  const close = async () => {
    clearInterval(clock)
    await stop()
    await link.close()
    world.close()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    await Promise.all(world.indexes.map((index) => run(index)))
    const desks = await dialled(world, link, said)
    for (const [index, desk] of desks) world.attach(index, desk)
    await world.found()
    await setUpAllPairs(world)
    const cloneCorrupt = async () => {
      const { storeFile } = entry(files.signers, corrupt - 1)
      const copy = join(dir, 'clone.sqlite')
      // The mark first: it may be older than the store, and never newer.
      for (const end of ['.mark', '', '-wal']) cpSync(`${storeFile}${end}`, `${copy}${end}`)
      await run(corrupt, copy)
      return deskOf(await link.next(), said)
    }
    return { world, desk: (index) => deskAt(desks, index), cloneCorrupt, close }
  } catch (error) {
    await close()
    throw error
  }
}

function deskAt(desks: ReadonlyMap<number, Desk>, index: number): Desk {
  const desk = desks.get(index)
  assert.ok(desk)
  return desk
}

function signersOf(files: Files, link: LinkServer) {
  const children: Child[] = []
  let output = ''
  const run = async (index: number, storeFile?: string): Promise<void> => {
    const environment = signerEnvironment(files, entry(files.signers, index - 1), link.port)
    const store = storeFile === undefined ? {} : { SIGNER_STORE_FILE: storeFile }
    const child = await startChild({
      command: process.execPath,
      args: [program],
      env: { ...environment, ...store },
      onOutput: (chunk) => (output += chunk.toString()),
    })
    children.push(child)
  }
  const stop = () => Promise.all(children.map((child) => child.stop()))
  return { run, stop, said: () => output }
}

function serverTls({ server, caFile }: Files) {
  const [key, cert, ca] = [server.tlsKeyFile, server.tlsCertFile, caFile].map((file) =>
    readFileSync(file, 'utf8'),
  )
  assert.ok(key !== undefined && cert !== undefined && ca !== undefined)
  return { key, cert, ca }
}

async function dialled(
  world: World,
  link: LinkServer,
  said: () => string,
): Promise<ReadonlyMap<number, Desk>> {
  const desks = new Map<number, Desk>()
  for (const _ of world.indexes) {
    const next = await link.next()
    desks.set(next.hello.signer, deskOf(next, said))
  }
  return desks
}

const deskOf =
  ({ ask }: Dialled, said: () => string): Desk =>
  async (call) => {
    const reply = await ask(call)
    assert.ok(reply, `the signer has ended the link: ${said()}`)
    return reply
  }
