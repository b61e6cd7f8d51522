import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { serve, type Served } from '../oidc/testing/served.ts'
import { openNames } from './names.ts'
import { openOutward } from './outward.ts'

const networks = ['127.0.0.0/8', '::1/128']

describe('a name that a customer chose', () => {
  let names: NameServer
  let folder: string
  let pages: Served
  before(async () => {
    names = await startNameServer()
    folder = mkdtempSync(join(tmpdir(), 'quorate-names-'))
    pages = await serve(() => (_, response) => response.end('hello'))
  })
  after(async () => {
    await pages.close()
    names.close()
    rmSync(folder, { recursive: true })
  })
  const open = (hosts = '') => {
    const hostsFile = join(folder, 'hosts')
    writeFileSync(hostsFile, hosts)
    return openNames({ servers: [names.address], hostsFile })
  }

  it('has the addresses of both families that its name server says', async () => {
    const resolve = open()
    const both = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
    assert.deepEqual(await resolve('both.test'), both)
    assert.deepEqual(await resolve('both.test.'), both)
    assert.deepEqual(await resolve('four.test'), both.slice(0, 1))
    await assert.rejects(resolve('nobody.test'), /ENOTFOUND/)
  })

  it('is refused when one address of either family is private', async () => {
    const fetch = openOutward({ networks: ['127.0.0.0/8'], resolve: open() })
    const ask = { method: 'GET', timeoutMs: 2_000, answerBytesMax: 100 } as const
    const answer = await fetch({ ...ask, url: 'https://both.test/' })
    assert.deepEqual(answer, { ok: false, why: 'address-refused' })
  })

  it('is looked up in the hosts file first, and localhost is this machine', async () => {
    const resolve = open(
      '# four.test\n127.0.0.9\tother Four.TEST # 127.0.0.8 four.test\n::1 four.test',
    )
    const before = names.asked.length
    const addresses = async (name: string) => (await resolve(name)).map(({ address }) => address)
    assert.deepEqual(await addresses('four.test'), ['127.0.0.9', '::1'])
    assert.deepEqual(await addresses('localhost'), ['127.0.0.1', '::1'])
    assert.deepEqual(await addresses('a.localhost'), ['127.0.0.1', '::1'])
    assert.deepEqual(await addresses('10.1.2.3'), ['10.1.2.3'])
    assert.equal(names.asked.length, before)
    assert.deepEqual(
      await openNames({ hostsFile: join(folder, 'none') })('localhost'),
      await resolve('localhost'),
    )
  })

  it('holds no other one up when nobody answers for it, and is asked for once at a time', async () => {
    const fetch = openOutward({ networks, resolve: open() })
    const ask = { method: 'GET', timeoutMs: 1_000, answerBytesMax: 100 } as const
    const { port } = new URL(pages.url)
    const begun = Date.now()
    const before = names.asked.length
    const lost = Array.from({ length: 20 }, (_, i) =>
      fetch({ ...ask, url: `https://${i % 10 === 0 ? 'silent' : `silent-${i}`}.test/` }),
    )
    const answer = await fetch({ ...ask, url: `http://four.test:${port}/` })
    assert.ok(answer.ok && answer.text === 'hello')
    assert.ok(Date.now() - begun < 900, 'before the others have given up')
    assert.equal(names.asked.slice(before).filter((name) => name === 'silent.test').length, 2)
    for (const one of await Promise.all(lost)) assert.deepEqual(one, { ok: false, why: 'too-slow' })
    assert.ok(Date.now() - begun < 3_000)
  })

  it('is reached by one family when nobody answers for the other', async () => {
    for (const [name, found] of [
      ['half.test', { address: '127.0.0.1', family: 4 }],
      ['other-half.test', { address: '::1', family: 6 }],
    ] as const) {
      const begun = Date.now()
      assert.deepEqual(await open()(name), [found])
      assert.ok(Date.now() - begun < 2_000, name)
    }
    const fetch = openOutward({ networks, resolve: open() })
    const { port } = new URL(pages.url)
    const ask = { method: 'GET', timeoutMs: 2_500, answerBytesMax: 100 } as const
    const answer = await fetch({ ...ask, url: `http://half.test:${port}/` })
    assert.ok(answer.ok && answer.text === 'hello')
  })

  it('has the addresses of the other family too when they come a little later, and they are judged', async () => {
    const found = await open()('late.test')
    assert.deepEqual(
      found.map(({ address }) => address),
      ['127.0.0.1', 'fd00::1'],
    )
    const fetch = openOutward({ networks, resolve: open() })
    const ask = { method: 'GET', timeoutMs: 2_500, answerBytesMax: 100 } as const
    const answer = await fetch({ ...ask, url: 'https://late.test/' })
    assert.deepEqual(answer, { ok: false, why: 'address-refused' })
  })

  it('is waited for when one family has no addresses and the other one comes later', async () => {
    assert.deepEqual(await open()('slow-six.test'), [{ address: '::1', family: 6 }])
  })

  it('is asked for no longer than anybody waits', async () => {
    const begun = Date.now()
    await assert.rejects(open()('silent.test'))
    assert.ok(Date.now() - begun < 6_000)
    const before = names.asked.length
    await assert.rejects(open()('nobody.test'))
    assert.deepEqual(new Set(names.asked.slice(before)), new Set(['nobody.test']))
  })
})

type NameServer = {
  readonly address: string
  readonly asked: readonly string[]
  close(): void
}

const known: Readonly<Record<string, readonly Buffer[]>> = {
  'both.test/1': [Buffer.from([127, 0, 0, 1])],
  'both.test/28': [Buffer.concat([Buffer.alloc(15), Buffer.from([1])])],
  'four.test/1': [Buffer.from([127, 0, 0, 1])],
  'half.test/1': [Buffer.from([127, 0, 0, 1])],
  'other-half.test/28': [Buffer.concat([Buffer.alloc(15), Buffer.from([1])])],
  'late.test/1': [Buffer.from([127, 0, 0, 1])],
  'late.test/28': [Buffer.concat([Buffer.from([0xfd]), Buffer.alloc(14), Buffer.from([1])])],
  'slow-six.test/28': [Buffer.concat([Buffer.alloc(15), Buffer.from([1])])],
}
/** Milliseconds until these are answered, where it is not at once. */
const waits: Readonly<Record<string, number>> = {
  'half.test/28': Infinity,
  'other-half.test/1': Infinity,
  'late.test/28': 300,
  // Later than the one family waits for the other, and before it is asked for again.
  'slow-six.test/28': 1_500,
}

/** RFC 1035, section 4: it knows a few names, and never answers for those that begin with `silent`. */
async function startNameServer(): Promise<NameServer> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query)
    asked.push(name)
    const waitMs = waits[`${name}/${type}`] ?? 0
    if (name.startsWith('silent') || waitMs === Infinity) return
    const found = known[`${name}/${type}`] ?? []
    const isKnown = Object.keys(known).some((one) => one.startsWith(`${name}/`))
    const header = Buffer.from(query.subarray(0, 12))
    header.writeUInt16BE(isKnown ? 0x8180 : 0x8183, 2)
    header.writeUInt16BE(found.length, 6)
    header.fill(0, 8, 12)
    const answers = found.map((data) => {
      const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length])
      return Buffer.concat([record, data])
    })
    const answer = Buffer.concat([header, query.subarray(12, end), ...answers])
    setTimeout(() => socket.send(answer, port, address), waitMs)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    ...{ address: `127.0.0.1:${socket.address().port}`, asked },
    close: () => void socket.close(),
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}
