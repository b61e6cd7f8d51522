import { resolve } from 'node:path'
import { count, filled, port, readSettings } from '@quorate/core/settings'

export type StartSettings = {
  readonly port: number
  /** Everything the platform keeps; two platforms have two of these. */
  readonly dataDir: string
  /** Empty means PostgreSQL from npm. */
  readonly postgresBin: string
  /** Keys of each kind in use that are born ahead of need. */
  readonly keyPool: number
  /** Empty: the server, or the signers, know no prices and no deny list. */
  readonly serverFactsFile: string
  readonly signerFactsFile: string
  /** Empty: nothing is said of networks of one's own. Only a cluster that is made now takes any. */
  readonly networksFile: string
  /** Nodes of other networks than the local one. Empty: there are none. */
  readonly nodesFile: string
  /** Of the server's own settings those that are no matter of this program, as they were given. */
  readonly passedOn: Readonly<Record<string, string>>
}

/** What `npm start` knows nothing of, and the server does. */
export const passedOnNames = [
  ...['SERVER_AGREEMENTS_FILE', 'SERVER_ASSETS_FILE', 'SERVER_CORS_ORIGINS'],
  'SERVER_MONTHLY_SIGNATURES',
]

/**
 * The server's and the signers' settings are this program's to make: one that is there already would do
 * nothing, and nobody would learn of it.
 * @throws Error naming all that are not passed on
 */
function passOn(env: NodeJS.ProcessEnv): StartSettings['passedOn'] {
  const names = Object.keys(env).filter((name) => /^(SERVER|SIGNER)_/.test(name))
  const wrong = names.filter((name) => !passedOnNames.includes(name))
  if (wrong.length > 0)
    throw new Error(
      `Cannot start.\n  ${wrong.map((name) => `${name} would do nothing`).join('\n  ')}\nnpm start makes the settings of its server and signers itself, but for ${passedOnNames.join(', ')}.`,
    )
  return Object.fromEntries(
    names.map((name) => {
      const text = env[name] ?? ''
      return [name, name.endsWith('_FILE') && text !== '' ? resolve(text) : text]
    }),
  )
}

/** A path is taken from where the command was given, which for npm is the checkout. */
export function startSettings(env: NodeJS.ProcessEnv): StartSettings {
  const settings = readSettings<Omit<StartSettings, 'passedOn'>>(
    Object.fromEntries(Object.entries(env).filter(([name]) => !isForOthers(name))),
    {
      port: {
        name: 'QUORATE_PORT',
        about: 'the port of the API, from 1 to 65535',
        read: (text) => port(text) || undefined,
        fallback: 8700,
      },
      dataDir: {
        name: 'QUORATE_DATA',
        about: 'the folder the platform keeps everything in',
        read: filled,
        fallback: '.quorate',
      },
      postgresBin: {
        name: 'QUORATE_POSTGRES_BIN',
        about: "the folder of a system PostgreSQL's postgres and initdb",
        read: filled,
        fallback: '',
      },
      keyPool: {
        name: 'QUORATE_KEY_POOL',
        about: 'keys of a kind that are born ahead of need, as SERVER_KEY_POOL',
        read: count,
        fallback: 0,
      },
      serverFactsFile: {
        name: 'QUORATE_SERVER_FACTS_FILE',
        about: 'prices and denied addresses, as SERVER_FACTS_FILE',
        read: filled,
        fallback: '',
      },
      signerFactsFile: {
        name: 'QUORATE_SIGNER_FACTS_FILE',
        about: 'those that every signer compares with, as SIGNER_FACTS_FILE',
        read: filled,
        fallback: '',
      },
      networksFile: {
        name: 'QUORATE_NETWORKS_FILE',
        about: 'networks of your own, JSON, for the manifest that the first start makes',
        read: filled,
        fallback: '',
      },
      nodesFile: {
        name: 'QUORATE_NODES_FILE',
        about: 'nodes of other networks than the local one, as SERVER_NODES_FILE',
        read: filled,
        fallback: '',
      },
    },
    'QUORATE_',
  )
  const { dataDir, serverFactsFile, signerFactsFile, networksFile, nodesFile } = settings
  return {
    ...settings,
    passedOn: passOn(env),
    dataDir: resolve(dataDir),
    serverFactsFile: serverFactsFile && resolve(serverFactsFile),
    signerFactsFile: signerFactsFile && resolve(signerFactsFile),
    networksFile: networksFile && resolve(networksFile),
    nodesFile: nodesFile && resolve(nodesFile),
  }
}

/** Where the platform lies that `npm run demo` tells of; whatever else is in its shell is another's. */
export function demoSettings(env: NodeJS.ProcessEnv): Pick<StartSettings, 'dataDir'> {
  const { QUORATE_DATA } = env
  return startSettings(QUORATE_DATA === undefined ? {} : { QUORATE_DATA })
}

/** A bearer token, where a command asks a platform for something; never an argument, which shows. */
export function commandToken(env: NodeJS.ProcessEnv): string | undefined {
  return env['QUORATE_TOKEN']
}

/** Where `npm test` tells the test files which PostgreSQL it has started for them. */
export const testClusterVariable = 'QUORATE_TEST_POSTGRES'

export function testClusterUrl(env: NodeJS.ProcessEnv): string | undefined {
  return env[testClusterVariable]
}

type TestSettings = {
  readonly passOn: Readonly<Record<string, string>>
  readonly postgresBin: string | undefined
}

/** Each begins with `QUORATE_TEST_`; test files read them. */
export const testNames = [
  ...['CALLS', 'PARTIES', 'POLICIES', 'POSTGRES', 'QUORUMS', 'SCREENSHOTS', 'SEED', 'SERVER_KILLS'],
  ...['TRANSFERS', 'WINDOW'],
]

/**
 * Of the environment of `npm test`, what the tests may see: not npm's hundred variables.
 * @throws Error for a name that no test reads: it would be a smaller run than was meant
 */
export function testSettings(env: NodeJS.ProcessEnv): TestSettings {
  const known = new Set(testNames.map((name) => `QUORATE_TEST_${name}`))
  const wrong = Object.keys(env).filter(
    (name) => name.startsWith('QUORATE_TEST_') && !known.has(name),
  )
  if (wrong.length > 0) throw new Error(`No test reads ${wrong.join(', ')}.`)
  const passOn: Record<string, string> = {}
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && (isForTests(name) || name === 'QUORATE_POSTGRES_BIN'))
      passOn[name] = value
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'LANG'])
    if (env[name] !== undefined) passOn[name] = env[name]
  return { passOn, postgresBin: env['QUORATE_POSTGRES_BIN'] }
}

/** Set in somebody's shell for another command, they are no mistake of `npm start`. */
function isForOthers(name: string): boolean {
  return isForTests(name) || name === 'QUORATE_TOKEN'
}

/** Sizes and data of tests. */
function isForTests(name: string): boolean {
  return name === 'QUORATE_VECTORS' || name.startsWith('QUORATE_TEST_')
}
