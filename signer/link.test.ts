import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { opaqueBytesMax } from '@quorate/authority/agreement/messages'
import { rootOf } from '@quorate/authority/stream'
import { provision, type Cluster } from '@quorate/scripts/provision'
import { linkProtocol, type Call, type Reply } from '@quorate/wire/link'
import { callsBytesMax, openLink, serve } from './link.ts'
import { entry } from './testing/cluster.ts'
import { openLinkServer, type LinkServer } from './testing/link-server.ts'

const ping: Call = { kind: 'ping' }

const helloOf = () => ({
  protocol: linkProtocol,
  manifest: new Uint8Array(32),
  signer: 1,
  bootId: new Uint8Array(16),
})

const [organization, previous] = [new Uint8Array(32), new Uint8Array(32)]
/** As large as a call gets: a proposal with a full step. */
const large: Call = {
  kind: 'agree',
  organization,
  stream: rootOf(organization),
  request: {
    kind: 'propose',
    ballot: 0,
    step: { seq: 0, previous, hash: previous, time: 0, bytes: new Uint8Array(opaqueBytesMax) },
    headCertificate: undefined,
    promises: [],
  },
  session: undefined,
}

describe('the link of a signer', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-link-'))
  let files: Cluster
  let server: LinkServer
  const text = (file: string) => readFileSync(file, 'utf8')

  before(async () => {
    files = await provision(join(dir, 'cluster'), new Date())
    const { tlsKeyFile, tlsCertFile } = files.server
    const [key, cert, ca] = [text(tlsKeyFile), text(tlsCertFile), text(files.caFile)]
    server = await openLinkServer({ key, cert, ca })
  })
  after(async () => {
    await server.close()
    rmSync(dir, { recursive: true, force: true })
  })

  function open(answer: (call: Call) => Promise<Reply>) {
    const { tlsKeyFile, tlsCertFile } = entry(files.signers, 0)
    const events: string[] = []
    const link = openLink({
      url: `https://127.0.0.1:${server.port}`,
      tls: { key: text(tlsKeyFile), cert: text(tlsCertFile), ca: text(files.caFile) },
      signer: { hello: helloOf(), answer },
      log: ({ event }) => events.push(event),
    })
    return { link, events }
  }

  it('answers by number, in whatever order the answers come', async () => {
    const held: (() => void)[] = []
    let count = 0
    const { link } = open(
      () =>
        new Promise((resolve) => {
          const reason = `answer ${++count}`
          held.push(() => resolve({ kind: 'failed', reason }))
        }),
    )
    const { ask } = await server.next()
    const asked = [ask(ping), ask(ping)]
    while (held.length < 2) await new Promise(setImmediate)
    for (const release of held.toReversed()) release()
    assert.deepEqual(await Promise.all(asked), [
      { kind: 'failed', reason: 'answer 1' },
      { kind: 'failed', reason: 'answer 2' },
    ])
    link.close()
  })

  it('takes no more calls at once than it can hold, and says so', async () => {
    const { link } = open(() => new Promise(() => undefined))
    const { ask } = await server.next()
    for (let i = 0; i < 256; i++) void ask(ping)
    assert.deepEqual(await ask(ping), { kind: 'busy' })
    link.close()
  })

  it('holds no more bytes of calls than a few frames, however few the calls are', async () => {
    const { link } = open(() => new Promise(() => undefined))
    const { ask } = await server.next()
    for (let i = 1; i < callsBytesMax / opaqueBytesMax; i++) void ask(large)
    assert.deepEqual(await ask(large), { kind: 'busy' })
    link.close()
  })

  it('ends, and nothing else with it, when its bytes cannot be read for whatever reason', async () => {
    const stream = new Duplex({
      objectMode: true,
      read() {},
      write: (_chunk, _encoding, done) => done(),
    })
    const ended = new Promise<Error>((resolve) => stream.once('error', resolve))
    serve(stream, { hello: helloOf(), answer: async () => ({ kind: 'pong', time: undefined }) })
    // Stands for a fault that nobody has thought of.
    stream.push({ length: 1 })
    assert.match((await ended).message, /could not be read: TypeError/)
  })

  it('dials again when it is told goodbye by a server that never hangs up', async () => {
    const { link, events } = open(async () => ({ kind: 'pong', time: undefined }))
    const first = await server.next()
    first.sayGoodbye()
    const second = await server.next()
    assert.deepEqual(await second.ask(ping), { kind: 'pong', time: undefined })
    link.close()
    await second.closed
    assert.deepEqual(events.slice(0, 3), ['link-open', 'link-closed', 'link-open'])
  })

  it('dials again when the link breaks, and never after it was closed', async () => {
    const { link, events } = open(async () => ({ kind: 'pong', time: undefined }))
    const first = await server.next()
    first.sendBytes(new Uint8Array([255, 255, 255, 255]))
    await first.closed
    const second = await server.next()
    assert.deepEqual(await second.ask(ping), { kind: 'pong', time: undefined })
    link.close()
    await second.closed
    const outcome = await Promise.race([
      server.next().then(() => 'dialled'),
      new Promise((resolve) => setTimeout(resolve, 400, 'nothing')),
    ])
    assert.equal(outcome, 'nothing')
    assert.deepEqual(events.slice(0, 3), ['link-open', 'link-closed', 'link-open'])
  })
})
