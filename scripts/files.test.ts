import assert from 'node:assert/strict'
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, describe, it } from 'node:test'
import { lastLines, logFile } from './log-file.ts'
import { demoSettings, startSettings, testNames, testSettings } from './settings.ts'
import { writePrivateFile } from './write-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-files-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a log', () => {
  it('never takes more than twice its limit, and keeps the newest', () => {
    const path = join(folder, 'logs', 'server.log')
    const log = logFile(path, 100)
    for (let i = 0; i < 50; i += 1) log(`line ${String(i).padStart(4, '0')}\n`)
    assert.deepEqual(readdirSync(join(folder, 'logs')).toSorted(), ['server.log', 'server.log.1'])
    assert.ok(statSync(path).size <= 100 && statSync(`${path}.1`).size <= 100)
    assert.equal(lastLines(path, 2), 'line 0048\nline 0049')
  })

  it('goes on where an earlier process stopped', () => {
    const path = join(folder, 'logs', 'signer.log')
    logFile(path, 100)('first\n')
    logFile(path, 100)('second\n')
    assert.equal(readFileSync(path, 'utf8'), 'first\nsecond\n')
  })
})

describe('a private file', () => {
  it('is replaced as a whole, readable by its user alone, with nothing left beside it', () => {
    const dir = mkdtempSync(join(folder, 'private-'))
    writePrivateFile(join(dir, 'a.json'), 'old')
    writePrivateFile(join(dir, 'a.json'), new Uint8Array([110, 101, 119]))
    assert.equal(readFileSync(join(dir, 'a.json'), 'utf8'), 'new')
    assert.equal(statSync(join(dir, 'a.json')).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(dir), ['a.json'])
  })
})

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const isInstalled = (path: string) => path.includes('node_modules')

describe('the settings of npm test', () => {
  it('reach the tests, and nothing else does; a slip in one is a mistake', () => {
    const given = { QUORATE_TEST_PARTIES: '7', QUORATE_VECTORS: '/v', PATH: '/bin' }
    assert.deepEqual(testSettings({ ...given, npm_config: 'x' }).passOn, given)
    assert.throws(
      () => testSettings({ ...given, QUORATE_TEST_PARTY: '7' }),
      /reads QUORATE_TEST_PARTY/,
    )
  })

  it('are all read by some test, and all that tests read are among them', () => {
    const files = globSync('{[a-z]*/**/*.{ts,mjs},package.json}', {
      cwd: checkout,
      exclude: isInstalled,
    })
    const texts = files
      .filter((file) => !file.startsWith('scripts/settings') && !file.startsWith('scripts/files'))
      .map((file) => readFileSync(join(checkout, file), 'utf8'))
    const found = texts.flatMap((text) => [...text.matchAll(/QUORATE_TEST_([A-Z_]+)/g)])
    const read = new Set(found.map(([, name = '']) => name))
    // This one is named by its variable alone.
    read.add('POSTGRES')
    assert.deepEqual([...read].toSorted(), testNames.toSorted())
    const page = readFileSync(join(checkout, 'scripts/README.md'), 'utf8')
    for (const name of testNames)
      assert.ok(name === 'POSTGRES' || page.includes(`\`${name}\``), name)
  })
})

describe('the settings of npm start', () => {
  it('have defaults, and take a relative folder from where the command was given', () => {
    const { port, dataDir } = startSettings({})
    assert.deepEqual({ port, dataDir }, { port: 8700, dataDir: join(process.cwd(), '.quorate') })
    const here = (name: string) => join(process.cwd(), name)
    const given = { QUORATE_SIGNER_FACTS_FILE: 'facts.json', QUORATE_NETWORKS_FILE: 'own.json' }
    const settings = startSettings({ ...given, QUORATE_NODES_FILE: 'nodes.json' })
    const { serverFactsFile, signerFactsFile, networksFile, nodesFile } = settings
    assert.deepEqual(
      [serverFactsFile, signerFactsFile, networksFile, nodesFile],
      ['', here('facts.json'), here('own.json'), here('nodes.json')],
    )
  })

  it('name all mistakes at once', () => {
    const wrong = { QUORATE_PORT: '0', QUORATE_DATA: ' ', QUORATE_PROT: '1' }
    assert.throws(
      () => startSettings(wrong),
      /QUORATE_PORT is not valid.*\n.*QUORATE_DATA is not valid.*\n.*QUORATE_PROT is not a setting/,
    )
  })

  it('do not mind what is meant for the tests, or for a command', () => {
    const others = { QUORATE_VECTORS: '/v', QUORATE_TEST_PARTIES: '7', QUORATE_TOKEN: 'ey' }
    assert.equal(startSettings(others).port, 8700)
    const inShell = { ...others, SERVER_DATABASE_URL: 'x', QUORATE_DATA: '/data', QUORATE_OLD: '' }
    assert.equal(demoSettings(inShell).dataDir, '/data')
  })

  it('take those of the server that are no matter of theirs, and refuse the others', () => {
    const given = { SERVER_CORS_ORIGINS: 'https://a.example', SERVER_ASSETS_FILE: 'assets.json' }
    const { passedOn } = startSettings({ ...given, HOME: '/root' })
    const file = join(process.cwd(), 'assets.json')
    assert.deepEqual(passedOn, { ...given, SERVER_ASSETS_FILE: file })
    assert.deepEqual(startSettings({}).passedOn, {})
    assert.throws(
      () => startSettings({ SERVER_PUBLIC_URL: 'https://a.example', SIGNER_MAILBOX: '/box' }),
      /SERVER_PUBLIC_URL would do nothing\n {2}SIGNER_MAILBOX would do nothing\nnpm start makes/,
    )
    assert.throws(() => startSettings({ SERVER_CORS_ORIGIN: 'https://a.example' }), /do nothing/)
  })
})
