/** What whoever runs these tests may say of them, and of his machine. Nothing else here reads it. */
export const settings = readSettings(process.env)

function readSettings(env: NodeJS.ProcessEnv) {
  const { PATH = '', HOME = '/', QUORATE_POSTGRES_BIN: postgresBin } = env
  return {
    /** All that a platform is started with besides its own settings. */
    machine: {
      PATH,
      HOME,
      ...(postgresBin === undefined ? {} : { QUORATE_POSTGRES_BIN: postgresBin }),
    },
    /** How often the server dies while transfers are under way. */
    serverKills: Number(env['QUORATE_TEST_SERVER_KILLS'] ?? 6),
    /** A folder for pictures of the pages, which is kept. */
    screenshotFolder: env['QUORATE_TEST_SCREENSHOTS'],
  }
}
