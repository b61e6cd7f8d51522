import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { isStatementName, openMailbox, statementName } from '@quorate/signer/mailbox/mailbox'
import { said, takeFrom, type Said } from '@quorate/signer/testing/statements'
import { World } from '@quorate/signer/testing/world'
import { mailboxCommand, perAuthorMax, serveMailbox, type Serving } from './mailbox.ts'

describe('quorate mailbox', () => {
  const world = new World({ real: [1] })
  const running: Serving[] = []
  before(() => world.found())
  after(async () => {
    await Promise.all(running.map((serving) => serving.close()))
    world.close()
  })
  const freeze = (change: { user?: Uint8Array } = {}) => {
    const target = world.organization
    return said(world.administrator, { kind: 'freezeOrganization', target, ...change })
  }
  async function open(name: string, statementsMax?: number) {
    const serving = await serveMailbox({
      ...{ folder: join(world.dir, name), manifest: world.cluster.manifest, port: 0 },
      ...{ host: '127.0.0.1', ...(statementsMax !== undefined && { statementsMax }) },
    })
    running.push(serving)
    const url = `http://127.0.0.1:${serving.port}/`
    return { serving, url, mailbox: openMailbox(url) }
  }
  type Opened = Awaited<ReturnType<typeof open>>
  const post = async ({ url }: Opened, name: string, body: Uint8Array) =>
    (await fetch(url + name, { method: 'POST', body: new Uint8Array(body) })).status
  const lay = (at: Opened, { hash, signed }: Said) => post(at, statementName(hash), signed)
  const take = ({ mailbox }: Opened) => takeFrom(world, 1, mailbox)
  const statementsIn = async ({ mailbox }: Opened) =>
    (await mailbox.names()).filter(isStatementName)

  it('gives signers what was laid into it, and whoever asks what they have signed', async () => {
    const at = await open('round')
    const one = freeze()
    await at.mailbox.lay(statementName(one.hash), one.signed)
    assert.deepEqual(await at.mailbox.read(statementName(one.hash)), one.signed)
    await take(at)
    const ack = `${toHex(one.hash)}.signer-1.ack`
    assert.deepEqual(await at.mailbox.names(), [statementName(one.hash), ack])
    assert.equal((await at.mailbox.read(ack))?.length, 128)
  })

  it('goes on with what it had', async () => {
    const first = await open('again')
    const [one, other] = [freeze(), freeze()]
    await lay(first, one)
    await take(first)
    await lay(first, other)
    const names = await first.mailbox.names()
    await first.serving.close()
    const second = await open('again')
    assert.deepEqual((await second.mailbox.names()).toSorted(), [...names].toSorted())
  })

  it('takes nothing that is no statement under its own name, nor a signer’s word that is not his', async () => {
    const at = await open('refusals')
    const [one, other] = [freeze(), freeze()]
    assert.equal(await lay(at, one), 201)
    assert.equal(await lay(at, one), 200)
    assert.equal(await post(at, statementName(other.hash), one.signed), 400)
    assert.equal(await post(at, statementName(other.hash), new Uint8Array(100)), 400)
    assert.equal(await post(at, 'notes.txt', one.signed), 404)
    assert.equal(await post(at, '../../x', one.signed), 404)
    const ack = (hash: Uint8Array, id: string) => `${toHex(hash)}.${id}.ack`
    const forged = toUtf8('0'.repeat(128))
    assert.equal(await post(at, ack(other.hash, 'signer-1'), forged), 404)
    assert.equal(await post(at, ack(one.hash, 'signer-1'), forged), 400)
    assert.equal(await post(at, ack(one.hash, 'nobody'), forged), 400)
    assert.equal(await post(at, ack(one.hash, 'signer-1'), toUtf8('what')), 400)
    assert.equal((await fetch(at.url + statementName(one.hash), { method: 'PUT' })).status, 405)
    assert.equal((await fetch(at.url + statementName(other.hash))).status, 404)
    assert.deepEqual(await at.mailbox.names(), [statementName(one.hash)])
  })

  it('reads no more than a statement may be, and outlives whoever goes away', async () => {
    const at = await open('large')
    const name = statementName(freeze().hash)
    const large = fetch(at.url + name, { method: 'POST', body: new Uint8Array(100_000) })
    assert.equal((await large).status, 413)
    const head = `POST /${name} HTTP/1.1\r\nhost: x\r\n`
    await broken(at.serving.port, `${head}content-length: 1000\r\n\r\nhalf of it`)
    const chunked = `${head}transfer-encoding: chunked\r\n\r\n`
    await broken(at.serving.port, `${chunked}fffff\r\n${'x'.repeat(100_000)}`)
    assert.equal(await lay(at, freeze()), 201)
  })

  it('has room for so many of one author, and keeps what a signer has acknowledged', async () => {
    const at = await open('one author')
    const [good, first] = [freeze(), freeze()]
    await lay(at, good)
    await take(at)
    const impostors = Array.from({ length: perAuthorMax }, () => freeze())
    for (const one of [first, ...impostors]) assert.equal(await lay(at, one), 201)
    const names = await statementsIn(at)
    assert.equal(names.length, 1 + perAuthorMax)
    assert.ok(names.includes(statementName(good.hash)))
    assert.ok(!names.includes(statementName(first.hash)))
    assert.equal(await at.mailbox.read(statementName(first.hash)), undefined)
    assert.equal(await lay(at, freeze({ user: new Uint8Array(32) })), 201)
    assert.equal((await statementsIn(at)).length, 2 + perAuthorMax)
  })

  it('has room for so many in all, the oldest unacknowledged making way', async () => {
    const at = await open('small', 2)
    const made = [1, 2, 3, 4].map(() => freeze())
    for (const one of made.slice(0, 3)) await lay(at, one)
    assert.deepEqual(
      await statementsIn(at),
      made.slice(1, 3).map(({ hash }) => statementName(hash)),
    )
    await take(at)
    assert.equal(await lay(at, made[3] ?? assert.fail()), 507)
  })

  it('says how it is used', async () => {
    const lines: string[] = []
    assert.equal(await mailboxCommand(['folder', 'port'], (line) => lines.push(line)), 2)
    assert.match(lines.join(), /^usage: quorate mailbox/)
  })
})

/** Sends this and hangs up, or is hung up on. */
async function broken(port: number, text: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  await new Promise<void>((resolve) => socket.write(text, () => resolve()))
  await sleep(50)
  socket.destroy()
  await closed
}
