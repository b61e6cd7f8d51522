import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, afterEach, before, describe, it } from 'node:test'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { type Manifest, readManifest } from '@quorate/authority/manifest'
import { type Cluster, provision } from '@quorate/scripts/provision'
import { framed, Unframer } from '@quorate/wire/framing'
import {
  type Call,
  decodeFrame,
  encodeFrame,
  type Frame,
  type Hello,
  linkProtocol,
} from '@quorate/wire/link'
import { type Links, openLinks } from './links.ts'

const ping: Call = { kind: 'ping' }
const silent = { info: () => undefined, warn: () => undefined }

describe('the link port', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-link-'))
  let cluster: Cluster
  let stranger: Cluster
  let manifest: Manifest
  let links: Links
  const sessions: ClientHttp2Session[] = []

  before(async () => {
    cluster = await provision(join(folder, 'cluster'), new Date())
    stranger = await provision(join(folder, 'stranger'), new Date())
    manifest = readManifest(readFileSync(cluster.manifestFile), verifyEd25519)
    links = await openLinks({
      host: '127.0.0.1',
      port: 0,
      manifest,
      keyPem: text(cluster.server.tlsKeyFile),
      certificatePem: text(cluster.server.tlsCertFile),
      authorityPem: text(cluster.caFile),
      log: silent,
    })
  })
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.destroy()
    await until(() => links.connected().length === 0)
  })
  after(async () => {
    await links.close()
    rmSync(folder, { recursive: true })
  })

  function dial(from: Cluster, signer: number): ClientHttp2Stream {
    const own = from.signers[signer - 1]
    assert.ok(own)
    const session = connect(`https://127.0.0.1:${links.port}`, {
      key: text(own.tlsKeyFile),
      cert: text(own.tlsCertFile),
      ca: text(cluster.caFile),
    })
    session.on('error', () => undefined)
    sessions.push(session)
    const stream = session.request({ ':method': 'POST', ':path': '/link' }, { endStream: false })
    stream.on('error', () => undefined)
    return stream
  }

  function hello(signer: number, other: Partial<Hello> = {}): Uint8Array {
    const said = { protocol: linkProtocol, manifest: manifest.hash, signer, bootId: bytes(16) }
    return framed(encodeFrame({ kind: 'hello', ...said, ...other }))
  }

  async function joinAs(signer: number, answer: (frame: Frame) => Uint8Array | undefined) {
    const stream = dial(cluster, signer)
    stream.write(hello(signer))
    const unframer = new Unframer()
    stream.on('data', (chunk: Buffer) => {
      for (const frame of unframer.push(chunk) ?? []) {
        const said = answer(decodeFrame(frame))
        if (said !== undefined) stream.write(said)
      }
    })
    await until(() => links.connected().includes(signer))
    return stream
  }

  const pong = (frame: Frame) =>
    frame.kind === 'call'
      ? framed(
          encodeFrame({
            kind: 'reply',
            number: frame.number,
            reply: { kind: 'pong', time: undefined },
          }),
        )
      : undefined

  it('knows a signer by its certificate and carries questions and answers', async () => {
    await joinAs(2, pong)
    await joinAs(3, pong)
    assert.deepEqual(links.connected(), [2, 3])
    assert.deepEqual(await links.call(2, ping, 1000), { kind: 'pong', time: undefined })
    assert.equal(await links.call(1, ping, 1000), 'gone')
  })

  it('turns away whoever says to be another signer, of another cluster or protocol', async () => {
    for (const [signer, other] of [
      [1, { signer: 2 }],
      [1, { manifest: bytes(32) }],
      [1, { protocol: 'quorate-link/0' }],
    ] as const) {
      const stream = dial(cluster, signer)
      stream.write(hello(signer, other))
      await closed(stream)
      assert.deepEqual(links.connected(), [])
    }
  })

  it('turns away a certificate of another authority', async () => {
    const stream = dial(stranger, 1)
    stream.write(hello(1))
    await closed(stream)
    assert.deepEqual(links.connected(), [])
  })

  it('turns away a certificate of its own authority that is no signer: the server itself', async () => {
    const { tlsKeyFile, tlsCertFile } = cluster.server
    const [first] = cluster.signers
    assert.ok(first)
    const server = { ...first, tlsKeyFile, tlsCertFile }
    const stream = dial({ ...cluster, signers: [server] }, 1)
    stream.write(hello(1))
    await closed(stream)
    assert.deepEqual(links.connected(), [])
  })

  it('answers timeout when a signer is late, and does not take the late answer for the next', async () => {
    const asked: Frame[] = []
    const stream = await joinAs(1, (frame) => void asked.push(frame))
    assert.equal(await links.call(1, ping, 30), 'timeout')
    const next = links.call(1, ping, 200)
    const [first] = asked
    assert.ok(first)
    const answer = pong(first)
    assert.ok(answer)
    stream.write(answer)
    assert.equal(await next, 'timeout')
  })

  it('answers gone when the link breaks, when it is garbage, and when too much is owed', async () => {
    const stream = await joinAs(1, () => undefined)
    const open = Array.from({ length: 512 }, () => links.call(1, ping, 60_000))
    assert.equal(await links.call(1, ping, 1000), 'gone')
    stream.write(framed(new Uint8Array([9, 9, 9])))
    assert.deepEqual(new Set(await Promise.all(open)), new Set(['gone']))
  })

  it('lets a signer that dials again replace its former link', async () => {
    const former = await joinAs(4, () => undefined)
    const open = links.call(4, ping, 60_000)
    dial(cluster, 4).write(hello(4))
    assert.equal(await open, 'gone')
    await closed(former)
    assert.deepEqual(links.connected(), [4])
  })
})

const text = (file: string) => readFileSync(file, 'utf8')
const bytes = (size: number) => new Uint8Array(size)

function closed(stream: ClientHttp2Stream): Promise<void> {
  stream.resume()
  return new Promise((resolve) => (stream.closed ? resolve() : stream.once('close', resolve)))
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !isTrue(); i++) await sleep(10)
  assert.ok(isTrue(), 'it did not come about within two seconds')
}
