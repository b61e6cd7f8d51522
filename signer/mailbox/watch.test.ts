import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { acknowledgement } from '@quorate/authority/statement'
import { fromHex } from '@quorate/core/bytes'
import { createKey } from '../testing/keys.ts'
import { said, type Said } from '../testing/statements.ts'
import { World } from '../testing/world.ts'
import {
  acknowledgementName,
  listBytesMax,
  mailboxAddresses,
  MailboxFault,
  openMailbox,
  statementName,
} from './mailbox.ts'
import { emptyMailbox, watchMailboxes } from './watch.ts'

/** Far above what anything here takes. */
const waitMsMax = 30_000
type Answers = (name: string, request: IncomingMessage, response: ServerResponse) => void

describe('a mailbox', () => {
  const world = new World({ real: [1] })
  const closing: (() => void)[] = []
  let key: Uint8Array
  before(async () => {
    await world.found()
    key = (await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })).id
  })
  after(() => {
    for (const close of closing) close()
    world.close()
  })

  const freeze = () => said(world.administrator, { kind: 'freezeKey', target: key })
  const hasKept = ({ hash }: Said) =>
    world.member(1).store.statements.has({ organization: world.organization, hash })
  const empty = (address: string, patienceMs?: number) =>
    emptyMailbox(world.member(1).signer, {
      mailbox: openMailbox(address, patienceMs),
      id: 'signer-1',
    })
  let folders = 0
  function folder(...statements: readonly Said[]): string {
    const made = join(world.dir, `mailbox-${(folders += 1)}`)
    mkdirSync(made)
    for (const { hash, signed } of statements)
      writeFileSync(join(made, statementName(hash)), signed)
    return made
  }
  async function server(answers: Answers): Promise<string> {
    const made = createServer((request, response) =>
      answers(request.url?.slice(1) ?? '', request, response),
    )
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
    closing.push(() => {
      made.close()
      made.closeAllConnections()
    })
    const address = made.address()
    assert.ok(typeof address === 'object' && address !== null)
    return `http://127.0.0.1:${address.port}`
  }
  /** A hostile one that shows these names, and behind each what it likes. */
  const showing = (names: readonly string[], entry: Answers) =>
    server((name, request, response) => {
      if (name === '') response.end(names.join('\n'))
      else entry(name, request, response)
    })
  const isFault = (reason: RegExp) => (error: unknown) =>
    error instanceof MailboxFault && reason.test(error.message)

  it('gives statements, and is given this signer’s signature for having kept them', async () => {
    const one = freeze()
    const there = folder(one)
    await empty(there)
    const name = acknowledgementName(one.hash, 'signer-1')
    const signature = fromHex(readFileSync(join(there, name), 'utf8'))
    const { identity } = world.cluster.manifest.signers[0] ?? assert.fail()
    const words = acknowledgement(world.cluster.manifest.hash, one.hash)
    assert.ok(verifyEd25519(identity, words, signature))
  })

  it('over HTTP gets the same', async () => {
    const one = freeze()
    const laid: string[] = []
    const address = await showing([statementName(one.hash)], (name, { method }, response) => {
      if (method === 'POST') laid.push(name)
      response.end(one.signed)
    })
    await empty(address)
    assert.ok(hasKept(one))
    assert.deepEqual(laid, [acknowledgementName(one.hash, 'signer-1')])
  })

  it('full of rubbish hides nothing that lies in it', async () => {
    const [one, other] = [freeze(), freeze()]
    const there = folder(one)
    writeFileSync(join(there, `${'0'.repeat(64)}.statement`), new Uint8Array(100_000))
    writeFileSync(join(there, `${'1'.repeat(64)}.statement`), new Uint8Array(100))
    mkdirSync(join(there, `${'2'.repeat(64)}.statement`))
    writeFileSync(join(there, 'notes.txt'), 'anything')
    await empty(there)
    assert.ok(hasKept(one))

    const names = [`${'0'.repeat(64)}.statement`, '../etc', '', statementName(other.hash)]
    const asked: string[] = []
    const address = await showing(names, (name, { method }, response) => {
      asked.push(name)
      if (name !== statementName(other.hash)) response.statusCode = 500
      response.end(method === 'POST' ? '' : other.signed)
    })
    // It is told of, after everything else was looked at.
    await assert.rejects(empty(address), isFault(/status 500/))
    assert.ok(hasKept(other))
    assert.ok(!asked.includes('../etc'))
  })

  it('gets no acknowledgement under another name than that of the statement', async () => {
    const one = freeze()
    const laid: string[] = []
    const address = await showing([`${'3'.repeat(64)}.statement`], (name, { method }, response) => {
      if (method === 'POST') laid.push(name)
      response.end(one.signed)
    })
    await empty(address)
    assert.deepEqual(laid, [])
  })

  it('that lists or answers with too much is not read to its end', async () => {
    const endless = (response: ServerResponse) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    }
    const list = await server((_name, _request, response) => endless(response))
    await assert.rejects(empty(list), isFault(/too much/))
    const entry = await showing([`${'4'.repeat(64)}.statement`], (_name, _request, response) =>
      endless(response),
    )
    await empty(entry)
    assert.ok(listBytesMax < 10_000_000)
  })

  it('that is slow, sends elsewhere, or is not there is left alone', async () => {
    const never = await server(() => undefined)
    await assert.rejects(empty(never, 50), isFault(/too slow/))
    const good = await showing([], () => assert.fail())
    const elsewhere = await server((_name, _request, response) =>
      response.writeHead(302, { location: good }).end(),
    )
    await assert.rejects(empty(elsewhere), isFault(/unreachable/))
    await assert.rejects(empty('http://127.0.0.1:1'), isFault(/unreachable/))
    await assert.rejects(empty(join(world.dir, 'nowhere')), isFault(/ENOENT/))
    const noText = await server((_name, _request, response) =>
      response.end(new Uint8Array([0xff, 0xfe])),
    )
    await assert.rejects(empty(noText), isFault(/no list/))
  })

  it('that hangs or is broken holds up no other', async () => {
    const one = freeze()
    const addresses = [await server(() => undefined), join(world.dir, 'nowhere'), folder(one)]
    const lines: object[] = []
    const watching = watchMailboxes(
      world.member(1).signer,
      { id: 'signer-1', addresses },
      { log: (line) => lines.push(line), onDefect: (error) => assert.fail(String(error)) },
    )
    const deadline = Date.now() + waitMsMax
    const isDone = () => hasKept(one) && lines.length > 0
    while (!isDone() && Date.now() < deadline) await sleep(10)
    watching.stop()
    assert.ok(hasKept(one))
    // By its number: an address may be a secret.
    assert.deepEqual(lines, [{ event: 'mailbox-unreadable', mailbox: 2, reason: 'ENOENT' }])
  })

  it('is a folder, or a URL on a line that nobody else can cut', () => {
    const urls = ['https://box.test/org', 'http://127.0.0.1:1', 'http://[::1]:1']
    const folders = ['/var/box', './box', '.quorate/freeze-mailbox', '../box']
    for (const good of [urls, folders]) assert.deepEqual(mailboxAddresses(good.join(' , ')), good)
    const bad = ['', 'http://box.test', 'ftp://box.test', 'https://a:b@box.test', '/a,,/b']
    // Slips in a URL, and folders of nobody knows where.
    const slips = ['box.test/org', 'https:/box.test/org', 'https:box.test', 'box', '~/box']
    for (const one of [...bad, ...slips, 'https://box.test/?a=1', Array(9).fill('/box').join(',')])
      assert.equal(mailboxAddresses(one), undefined, one)
  })
})
