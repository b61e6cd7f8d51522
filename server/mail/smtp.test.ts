import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { makeAuthority } from '@quorate/scripts/certificates'
import { openCarrier, type Message } from './carrier.ts'
import { openSmtp } from './smtp.ts'
import { openPostOffice } from './testing/post-office.ts'

const message: Message = {
  id: 'a3f1',
  to: 'ada@example.test',
  subject: 'Hello',
  text: 'A line.\n',
  createdAt: Date.UTC(2026, 0, 2),
}
const from = 'quorate@example.test'

/** Of this machine, and yet not its loopback. */
const outside = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

describe('mail by SMTP', () => {
  it('arrives as plain text, under an id that a second copy has too', async (test) => {
    const office = await openPostOffice()
    test.after(office.close)
    const carrier = openSmtp({ url: `smtp://127.0.0.1:${office.port}`, from, ca: undefined })
    await carrier.send(message)
    await carrier.send(message)
    assert.equal(office.received.length, 2)
    for (const { recipients, raw } of office.received) {
      assert.deepEqual(recipients, ['ada@example.test'])
      assert.match(raw, /^Message-ID: <a3f1@example\.test>\r$/m)
      assert.match(raw, /^From: Quorate <quorate@example\.test>\r$/m)
      assert.match(raw, /^Content-Type: text\/plain; charset=utf-8\r$/m)
      assert.match(raw, /\r\n\r\nA line\.\r\n/)
    }
  })

  it('goes to one address, whatever it looks like', async (test) => {
    const office = await openPostOffice()
    test.after(office.close)
    const carrier = openSmtp({ url: `smtp://127.0.0.1:${office.port}`, from, ca: undefined })
    const to = 'ada@example.test, eve@example.test'
    await carrier.send({ ...message, to }).catch(() => undefined)
    assert.ok(office.received.every(({ recipients }) => !recipients.includes('eve@example.test')))
  })

  it('does not leave this machine in the clear, and shows no password to who asks for that', async (test) => {
    if (outside === undefined) return test.skip('this machine has no address but loopback')
    const office = await openPostOffice({}, outside)
    test.after(office.close)
    const url = `smtp://ada:right@${outside}:${office.port}`
    const carrier = openSmtp({ url, from, ca: undefined })
    await assert.rejects(carrier.send(message), { code: 'ETLS' })
    assert.deepEqual([office.received, office.logins], [[], []])
  })

  it('is under TLS with a server whose certificate is right, and with no other', async (test) => {
    const authority = await makeAuthority('post', new Date())
    const { certificatePem: cert, privateKeyPem: key } = await authority.issue('post', 'server')
    for (const secure of [true, false]) {
      const office = await openPostOffice({ secure, cert, key }, outside ?? '127.0.0.1')
      test.after(office.close)
      const scheme = secure ? 'smtps' : 'smtp'
      const to = (host: string) => `${scheme}://ada:right@${host}:${office.port}`
      if (outside !== undefined) {
        const stranger = openSmtp({ url: to(outside), from, ca: undefined })
        await assert.rejects(stranger.send(message))
        // Of the right authority, but made for another name.
        const wrong = openSmtp({ url: to(outside), from, ca: authority.certificatePem })
        await assert.rejects(wrong.send(message))
      }
      assert.deepEqual([office.received, office.logins], [[], []])
    }
    const office = await openPostOffice({ secure: true, cert, key })
    test.after(office.close)
    const url = `smtps://ada:right@localhost:${office.port}`
    await openSmtp({ url, from, ca: authority.certificatePem }).send(message)
    assert.deepEqual([office.received[0]?.secure, office.logins], [true, ['ada']])
  })
})

describe('the file that says how mail is sent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-mail-'))
  const file = join(folder, 'mail.json')
  after(() => rmSync(folder, { recursive: true }))

  it('names a mail server or a folder, and is not repeated when it is wrong', () => {
    for (const wrong of [
      '{"smtp": "smtp://ada:hunter2@localhost"}',
      '{"smtp": "https://ada:hunter2@localhost", "from": "a@example.test"}',
      '{"smtp": "smtp://ada:hunter2@localhost", "from": "a@example.test, b@example.test"}',
      '{"smtp": "smtp://ada:hunter2@localhost", "from": "a@example.test", "tls": false}',
      '{"folder": ""}',
      'hunter2',
    ]) {
      writeFileSync(file, wrong)
      assert.throws(
        () => openCarrier(file),
        (error: Error) => /is neither/.test(error.message) && !/hunter2/.test(String(error.stack)),
        wrong,
      )
    }
    writeFileSync(file, '{"smtp": "smtp://ada:hunter2@localhost", "from": "a@example.test"}')
    assert.equal(openCarrier(file).mailbox, undefined)
    writeFileSync(file, JSON.stringify({ folder: join(folder, 'mailbox') }))
    assert.ok(openCarrier(file).mailbox)
  })
})
