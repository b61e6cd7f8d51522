import { resolve } from 'node:path'
import { filled, port, readSettings } from '@quorate/core/settings'

export type StartSettings = {
  readonly port: number
  /** Everything the platform keeps; two platforms have two of these. */
  readonly dataDir: string
  /** Empty means PostgreSQL from npm. */
  readonly postgresBin: string
}

/** A path is taken from where the command was given, which for npm is the checkout. */
export function startSettings(env: NodeJS.ProcessEnv): StartSettings {
  const settings = readSettings<StartSettings>(
    env,
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
    },
    'QUORATE_',
  )
  return { ...settings, dataDir: resolve(settings.dataDir) }
}

/** Where `npm test` tells the test files which PostgreSQL it has started for them. */
export const testClusterVariable = 'QUORATE_TEST_POSTGRES'

export function testClusterUrl(env: NodeJS.ProcessEnv): string | undefined {
  return env[testClusterVariable]
}
