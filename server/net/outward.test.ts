import assert from 'node:assert/strict'
import { type RequestListener } from 'node:http'
import https from 'node:https'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeAuthority, type CertificateAuthority } from '@quorate/scripts/certificates'
import { serve, type Served } from '../oidc/testing/served.ts'
import {
  openOutward,
  outwardFetch,
  refusalOf,
  type OutwardFetch,
  type OutwardRequest,
} from './outward.ts'

const networks = ['127.0.0.0/8', '::1/128']
const get = (url: string): OutwardRequest => ({
  ...{ url, method: 'GET', timeoutMs: 2_000, answerBytesMax: 1_000 },
})
const to = (address: string) => async () => [{ address, family: address.includes(':') ? 6 : 4 }]

describe('a request to an address that a customer chose', () => {
  let pages: Served
  before(async () => {
    pages = await serve((url) => answers(url))
  })
  after(() => pages.close())

  it('reaches loopback without encryption where the operator lets it', async () => {
    const answer = await openOutward({ networks })({
      ...get(`${pages.url}/echo`),
      ...{ method: 'POST', body: 'a=b', headers: { 'x-one': 'two' } },
    })
    assert.ok(answer.ok)
    assert.equal(answer.status, 201)
    assert.equal(answer.text, 'POST two a=b')
  })

  it('reaches loopback by no other leave, under no name', async () => {
    const { port } = new URL(pages.url)
    const before = pages.asked.length
    for (const name of ['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '0x7f.1'])
      for (const scheme of ['http', 'https'])
        assert.deepEqual(await outwardFetch(get(`${scheme}://${name}:${port}/`)), refused, name)
    assert.equal(pages.asked.length, before)
  })

  it('goes nowhere that is not public', async () => {
    for (const address of special)
      assert.deepEqual(
        await openOutward({ resolve: to(address) })(get('https://idp.example.com/')),
        refused,
        address,
      )
  })

  it('goes nowhere when one of the addresses of a name is not public', async () => {
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ]
    assert.deepEqual(await openOutward({ resolve })(get('https://idp.example.com/')), refused)
  })

  it('may go to private networks that the operator names, and to no others', async () => {
    const lets = async (address: string, list: readonly string[]) => {
      const fetch = openOutward({ networks: list, resolve: to(address) })
      const answer = await fetch({ ...get('https://idp.example.com:1/'), timeoutMs: 50 })
      return !answer.ok && answer.why !== 'address-refused'
    }
    assert.ok(await lets('127.0.0.2', ['127.0.0.0/8']))
    assert.ok(await lets('::ffff:127.0.0.2', ['127.0.0.0/8']))
    assert.ok(!(await lets('127.0.0.2', ['127.0.0.1/32', '10.0.0.0/8'])))
    assert.throws(() => openOutward({ networks: ['10.1.2.3'] }), /no network/)
  })

  it('is encrypted unless it stays on this machine', async () => {
    const fetch = openOutward({ networks: ['10.0.0.0/8'], resolve: to('10.0.0.1') })
    assert.deepEqual(await fetch(get('http://idp.example.com/')), refused)
    const publicly = openOutward({ networks, resolve: to('93.184.216.34') })
    assert.deepEqual(await publicly(get('http://idp.example.com/')), refused)
  })

  it('asks once what a name means, and connects to that', async () => {
    let asked = 0
    const resolve = async () => {
      asked += 1
      return [{ address: asked === 1 ? '127.0.0.1' : '10.0.0.1', family: 4 }]
    }
    const { port } = new URL(pages.url)
    // No resolver knows this name: only the pinned address can have answered.
    const answer = await openOutward({ networks, resolve })(get(`http://idp.invalid:${port}/host`))
    assert.ok(answer.ok)
    assert.equal(answer.text, `idp.invalid:${port}`)
    assert.equal(asked, 1)
  })

  it('does not follow a redirect', async () => {
    const before = pages.asked.length
    const answer = await openOutward({ networks })(get(`${pages.url}/elsewhere`))
    assert.ok(answer.ok)
    assert.equal(answer.status, 302)
    assert.equal(pages.asked.length, before + 1)
  })

  it('ends at its limits', async () => {
    const fetch = openOutward({ networks })
    const why = async (ask: OutwardRequest) => {
      const answer = await fetch(ask)
      return answer.ok ? undefined : answer.why
    }
    assert.equal(await why(get(`${pages.url}/huge`)), 'too-large')
    assert.equal(await why({ ...get(`${pages.url}/slow`), timeoutMs: 100 }), 'too-slow')
    assert.equal(await why({ ...get(`${pages.url}/drip`), timeoutMs: 200 }), 'too-slow')
    assert.equal(await why(get(`${pages.url}/broken`)), 'no-connection')
    const never = new Promise<never>(() => undefined)
    const lost = openOutward({ resolve: () => never })
    assert.deepEqual(await lost({ ...get('https://idp.example.com/'), timeoutMs: 50 }), late)
  })

  it('ends when the answer leaves HTTP, or never becomes one', async () => {
    const fetch = openOutward({ networks })
    const noConnection = { ok: false, why: 'no-connection' }
    const leaves = 'HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
    assert.deepEqual(await answered(fetch, leaves), noConnection)
    assert.deepEqual(await answered(fetch, 'HTTP/1.1 100 x\r\n\r\n'), late)
    assert.deepEqual(await answered(fetch, 'HTTP/1.1 103 x\r\n\r\n'), late)
    assert.deepEqual(await answered(fetch, 'SSH-2.0-x\r\n'), noConnection)
  })

  it('takes no address but one of the web, and none with a password in it', async () => {
    const fetch = openOutward({ networks })
    const { host } = new URL(pages.url)
    for (const url of ['file:///etc/passwd', 'ftp://a.example/', 'a', `http://u:p@${host}/host`])
      assert.deepEqual(await fetch(get(url)), { ok: false, why: 'url-refused' }, url)
    const long = `${pages.url}/${'a'.repeat(2_048)}`
    assert.deepEqual(await fetch(get(long)), { ok: false, why: 'url-refused' })
  })

  it('cuts an answer of which only the status counts', async () => {
    const fetch = openOutward({ networks })
    for (const page of ['huge', 'bytes']) {
      const answer = await fetch({ ...get(`${pages.url}/${page}`), isCut: true })
      assert.deepEqual([answer.ok && answer.status, answer.ok && answer.text], [200, ''], page)
    }
    const long = await fetch({ ...get(`${pages.url}/headers`), isCut: true })
    assert.deepEqual(long, { ok: false, why: 'no-connection' })
  })

  it('has such an answer with its headers, and ends it soon, whether its text ends or not', async () => {
    const fetch = openOutward({ networks })
    for (const page of ['drip', 'stuck', 'broken']) {
      const begun = Date.now()
      const answer = await fetch({ ...get(`${pages.url}/${page}`), isCut: true })
      assert.deepEqual([answer.ok && answer.status, answer.ok && answer.text], [200, ''], page)
      assert.ok(Date.now() - begun < 1_000, page)
    }
    await stuckEnded.promise
  })

  it('lets in what comes right after the headers: nobody is hung up on halfway', async () => {
    const fetch = openOutward({ networks })
    assert.ok((await fetch({ ...get(`${pages.url}/soon`), isCut: true })).ok)
    assert.ok(await soonEnded.promise)
  })

  it('has a connection of its own: one that was opened for other addresses serves nobody else', async () => {
    const { port } = new URL(pages.url)
    const ask = get(`http://idp.invalid:${port}/host`)
    const first = await openOutward({ networks, resolve: to('127.0.0.1') })(ask)
    assert.ok(first.ok)
    // Nobody listens at that address.
    const second = await openOutward({ networks, resolve: to('127.0.0.2') })(ask)
    assert.deepEqual(second, { ok: false, why: 'no-connection' })
  })

  it('is refused before its name is looked up where that needs none', () => {
    const why = (url: string) => refusalOf(url, {})
    assert.equal(why('https://a.example/'), undefined)
    assert.equal(why('https://93.184.216.34/'), undefined)
    for (const address of special.filter((one) => /^[0-9a-f.:]+$/.test(one))) {
      const host = address.includes(':') ? `[${address}]` : address
      assert.equal(why(`https://${host}/`), 'address-refused', address)
    }
    for (const url of ['http://a.example/', 'ftp://a.example/', 'https://u:p@a.example/', 'a'])
      assert.equal(why(url), 'url-refused', url)
    assert.equal(why('http://93.184.216.34/'), 'address-refused')
    const here = (url: string) => refusalOf(url, { networks })
    for (const url of ['http://localhost:1/', 'http://127.0.0.1/', 'https://[::1]/'])
      assert.equal(here(url), undefined, url)
    assert.equal(here('http://10.0.0.1/'), 'address-refused')
  })

  it('says that a name is not known', async () => {
    const resolve = async () => []
    const nothing = { ok: false, why: 'name-unknown' }
    assert.deepEqual(await openOutward({ resolve })(get('https://idp.example.com/')), nothing)
    const broken = openOutward({ resolve: () => Promise.reject(new Error('ENOTFOUND')) })
    assert.deepEqual(await broken(get('https://idp.example.com/')), nothing)
  })
})

describe('a request over TLS', () => {
  const noConnection = { ok: false, why: 'no-connection' }
  const here = { networks, resolve: to('127.0.0.1') }

  it('believes a certificate for the name, from an authority that is known', async () => {
    const authority = await makeAuthority('test', new Date())
    await certified(authority, async (port) => {
      const knowing = openOutward({ ...here, authorities: [authority.certificatePem] })
      const answer = await knowing(get(`https://localhost:${port}/`))
      assert.ok(answer.ok)
      assert.equal(answer.text, 'hello')
      assert.deepEqual(await knowing(get(`https://other.invalid:${port}/`)), noConnection)
      assert.deepEqual(await openOutward(here)(get(`https://localhost:${port}/`)), noConnection)
    })
  })

  it('believes the usual authorities beside those of the house', async () => {
    const [usual, own, other] = [
      await makeAuthority('usual', new Date()),
      await makeAuthority('own', new Date()),
      await makeAuthority('other', new Date()),
    ]
    const before = getCACertificates('default')
    setDefaultCACertificates([usual.certificatePem])
    try {
      const fetch = openOutward({ ...here, authorities: [own.certificatePem] })
      const isBelieved = async (authority: CertificateAuthority) => {
        let answer: unknown
        await certified(authority, async (port) => {
          answer = await fetch(get(`https://localhost:${port}/`))
        })
        return Object(answer).ok
      }
      assert.ok(await isBelieved(own))
      assert.ok(await isBelieved(usual))
      assert.ok(!(await isBelieved(other)))
    } finally {
      setDefaultCACertificates(before)
    }
  })
})

/** A server whose certificate is of this authority, for as long as that takes. */
async function certified(
  authority: CertificateAuthority,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const { certificatePem, privateKeyPem } = await authority.issue('idp', 'server')
  const server = https.createServer({ cert: certificatePem, key: privateKeyPem }, (_, response) =>
    response.end('hello'),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use((server.address() as AddressInfo).port)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const refused = { ok: false, why: 'address-refused' }
const late = { ok: false, why: 'too-slow' }

/** What comes of a request whose server says this and keeps the connection, in time or not at all. */
async function answered(fetch: OutwardFetch, says: string): Promise<unknown> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    socket.once('data', () => socket.write(says))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const asked = fetch({ ...get(`http://127.0.0.1:${port}/`), timeoutMs: 300 })
    return await Promise.race([asked, sleep(3_000, 'nothing')])
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

/** One of each block of IANA's registries, and what wears another family's clothes. */
const special = [
  ...['0.0.0.1', '10.255.0.1', '100.64.0.1', '100.100.100.200', '127.0.0.1', '169.254.169.254'],
  ...['172.16.0.1', '172.31.255.255', '192.0.0.1', '192.0.2.1', '192.168.1.1', '198.19.0.1'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255', '192.88.99.1'],
  ...['::', '::1', '::ffff:10.0.0.1', '::ffff:93.184.216.34', '64:ff9b::a00:1', '100::1'],
  ...['2001::1', '2001:db8::1', '2002:a00:1::', '3fff::1', 'fc00::1', 'fd00:ec2::254'],
  ...['fe80::1', 'fe80::1%eth0', 'ff02::1', 'no address'],
]

/** The asking side has closed the answer that goes on for ever. */
const stuckEnded = Promise.withResolvers<void>()
/** Whether the answer that ends right after its headers was taken whole. */
const soonEnded = Promise.withResolvers<boolean>()

function answers(url: string): RequestListener {
  return (request, response) => {
    const pages: Readonly<Record<string, () => void>> = {
      '/echo': async () => {
        let body = ''
        for await (const part of request) body += String(part)
        response.writeHead(201).end(`${request.method} ${request.headers['x-one']} ${body}`)
      },
      '/host': () => response.end(request.headers.host),
      '/elsewhere': () => response.writeHead(302, { location: `${url}/host` }).end(),
      '/huge': () => response.end('a'.repeat(1_001)),
      '/bytes': () => response.end(Buffer.from([0xff, 0xfe])),
      '/headers': () => response.writeHead(200, { 'x-long': 'a'.repeat(20_000) }).end(),
      '/slow': () => undefined,
      '/drip': () => {
        const timer = setInterval(() => response.write('a'), 20)
        response.on('close', () => clearInterval(timer))
      },
      '/soon': () => {
        response.on('close', () => soonEnded.resolve(response.writableFinished))
        response.writeHead(200).write('a')
        setTimeout(() => response.end('b'), 50)
      },
      '/stuck': () => {
        response.writeHead(200).write('a')
        response.on('close', stuckEnded.resolve)
      },
      '/broken': () => {
        response.writeHead(200, { 'content-length': '10' }).write('half')
        setTimeout(() => response.destroy(), 20)
      },
    }
    pages[request.url ?? '']?.()
  }
}
