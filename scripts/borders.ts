import { dirname, join } from 'node:path'

export type Room = {
  /** Rooms, or single files of rooms, that it may import. */
  readonly rooms: readonly string[]
  /** Parts of those that it may not. */
  readonly except?: readonly string[]
  readonly node: readonly string[]
  /** Third-party packages; a scope with `/*` stands for all of its packages. */
  readonly packages: readonly string[]
}

/** Who may import what. This table is the architecture; docs/architecture.md only explains it. */
export const rooms: Readonly<Record<string, Room>> = {
  core: { rooms: [], node: ['crypto'], packages: [] },
  threshold: {
    rooms: ['core'],
    node: ['crypto'],
    packages: ['@noble/*', 'secp256k1', 'sodium-native', 'libsodium-wrappers-sumo'],
  },
  authority: { rooms: ['core'], node: ['crypto'], packages: [] },
  policy: { rooms: ['core'], node: [], packages: [] },
  effects: {
    rooms: ['core'],
    node: ['crypto'],
    packages: ['@noble/curves', '@noble/hashes', '@scure/base'],
  },
  judge: { rooms: ['core', 'authority', 'policy', 'effects'], node: [], packages: [] },
  wire: { rooms: ['core', 'authority'], node: ['crypto'], packages: [] },
  chains: { rooms: ['core'], node: [], packages: ['viem'] },
  api: { rooms: ['core', 'authority'], node: [], packages: ['zod'] },
  signer: {
    rooms: ['core', 'threshold', 'authority', 'policy', 'effects', 'judge', 'wire'],
    // Where shares become a key again: nothing that runs in a signer can do that.
    except: ['threshold/sharing'],
    node: [
      ...['assert', 'child_process', 'crypto', 'fs', 'http2', 'net', 'path', 'sqlite', 'tls'],
      ...['stream', 'timers/promises', 'url', 'v8', 'worker_threads'],
    ],
    packages: [],
  },
  server: {
    rooms: [
      ...['core', 'authority', 'policy', 'effects', 'judge', 'wire', 'chains', 'api'],
      'threshold/public',
    ],
    node: [
      ...['assert', 'crypto', 'fs', 'http', 'http2', 'https', 'net', 'path', 'stream', 'tls'],
      ...['dns/promises', 'fs/promises', 'readline', 'timers/promises', 'url', 'util'],
    ],
    packages: ['fastify', '@fastify/*', 'jose', 'kysely', 'nodemailer', 'pg', 'pino', 'zod'],
  },
  client: {
    rooms: ['core', 'authority', 'policy', 'effects', 'judge', 'api', 'threshold/sharing'],
    node: ['crypto'],
    packages: ['@noble/*'],
  },
  cli: {
    rooms: ['core', 'authority', 'api', 'client', 'signer/mailbox/mailbox'],
    node: [
      'crypto',
      'fs',
      'http',
      'path',
      'process',
      'readline',
      'readline/promises',
      'timers/promises',
      'util',
      'url',
    ],
    packages: ['@dfns/sdk', '@dfns/sdk-keysigner'],
  },
  devnet: {
    rooms: ['core'],
    node: ['child_process', 'crypto', 'fs', 'net', 'os', 'path', 'timers/promises', 'url'],
    packages: [],
  },
  scripts: {
    rooms: [
      ...['core', 'authority', 'wire', 'client', 'cli', 'devnet'],
      'chains/evm/account/account',
    ],
    node: ['*'],
    packages: ['esbuild', '@peculiar/x509', 'reflect-metadata', 'pg', '@dfns/*', 'viem'],
  },
  e2e: {
    // Authority, effects and wire are what a hostile server speaks to the signers in.
    rooms: [
      ...['core', 'authority', 'effects', 'wire', 'client', 'cli', 'devnet', 'scripts'],
      'signer/testing',
    ],
    node: ['*'],
    packages: ['*'],
  },
}

/**
 * What a test may import beyond its room: real databases and nodes, the helpers that other rooms
 * offer for tests, and independent libraries to check the room's own work against.
 */
const forTests: Room = {
  rooms: [
    ...['core', 'devnet', 'scripts/test-database', 'scripts/provision', 'scripts/certificates'],
    'scripts/environments',
  ],
  node: ['*'],
  packages: [
    ...['@noble/*', '@dfns/*', '@simplewebauthn/server', 'viem', 'pg', 'ajv', 'oidc-provider'],
    ...['@scure/bip32', '@scure/starknet', 'secp256k1', 'smtp-server', 'solc', 'wabt'],
  ],
}

/** A test, a measurement, a simulation, or a file whose only importers are such. */
export function isForTests(file: string): boolean {
  return /\.test\.ts$|\/bench\.ts$|\/(?:testing|stand-in|simulation)\//.test(file)
}

/** @param file from the root of the checkout, such as `core/bytes.ts` */
export function mayImport(file: string, name: string): boolean {
  const folder = file.split('/')[0] ?? ''
  const room = rooms[folder]
  if (room === undefined) return false
  if (name.startsWith('.')) return join(dirname(file), name).startsWith(`${folder}/`)
  return isIn(room, name) || (isForTests(file) && (isIn(forTests, name) || isTesting(name)))
}

/** Made-up organizations and the like, which a room keeps for its neighbours' tests. */
const isTesting = (name: string) => /^@quorate\/[a-z]+\/testing\//.test(name)

function isIn(room: Room, name: string): boolean {
  const lies = (place: string) => `${name}/`.startsWith(`@quorate/${place}/`)
  if (name === 'node:assert/strict') return true // Defects stop a process, in every room.
  if (name.startsWith('node:')) return has(room.node, name.slice('node:'.length))
  if (name.startsWith('@quorate/')) return room.rooms.some(lies) && !(room.except ?? []).some(lies)
  return has(room.packages, packageName(name))
}

function has(list: readonly string[], name: string): boolean {
  return list.some(
    (entry) =>
      entry === '*' ||
      entry === name ||
      (entry.endsWith('/*') && name.startsWith(entry.slice(0, -1))),
  )
}

function packageName(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}
