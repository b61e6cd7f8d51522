import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Script } from 'node:vm'
import { readStatement } from '@quorate/authority/statement'
import { newPasskey } from '@quorate/authority/testing/passkey'
import { fingerprintOf } from '@quorate/authority/credential'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import {
  acknowledgementName,
  isStatementName,
  openMailbox,
  statementName,
} from '@quorate/signer/mailbox/mailbox'
import { createKey } from '@quorate/signer/testing/keys'
import { genesisIn } from '@quorate/signer/testing/genesis'
import { World } from '@quorate/signer/testing/world'
import { freezeCommand } from './freeze.ts'

/** Far above what anything here takes, so that a busy machine is not taken for a refusal. */
const takeMsMax = 60_000

describe('quorate freeze', () => {
  const world = new World()
  const folder = join(world.dir, 'mailbox')
  const mailbox = openMailbox(folder)
  const [manifest, keyFile] = [join(world.dir, 'manifest'), join(world.dir, 'key.pem')]
  let keyId = ''
  before(async () => {
    mkdirSync(folder)
    await world.found()
    const key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    keyId = toHex(key.id)
    writeFileSync(manifest, world.cluster.encoded)
    const { privateKey } = world.administrator.credential
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  })
  after(() => world.close())
  const statements = () => readdirSync(folder).filter(isStatementName)

  /** As the signers do it that look into the folder, and one that lays down a lie. */
  async function take(earlier: ReadonlySet<string>, indexes: readonly number[], liar?: number) {
    const deadline = Date.now() + takeMsMax
    let name = statements().find((one) => !earlier.has(one))
    while (name === undefined) {
      assert.ok(Date.now() < deadline, 'no statement has come')
      await sleep(10)
      name = statements().find((one) => !earlier.has(one))
    }
    const signed = (await mailbox.read(name)) ?? assert.fail()
    const hash = readStatement(signed)?.hash ?? assert.fail()
    const ack = (index: number, text: string) =>
      mailbox.lay(acknowledgementName(hash, `signer-${index}`), toUtf8(text))
    if (liar !== undefined) await ack(liar, '0'.repeat(128))
    for (const index of indexes) {
      const accepted = world.member(index).signer.accept(signed)
      assert.ok(accepted.ok, accepted.ok ? '' : accepted.reason)
      await ack(index, toHex(accepted.signature))
    }
    return { name }
  }

  async function run(args: readonly string[], isPatient: () => boolean = () => false) {
    const lines: string[] = []
    const code = await freezeCommand(
      [
        ...['--mailbox', folder, '--manifest', manifest],
        ...['--genesis', toHex(genesisIn(world)), '--key', keyFile, ...args],
      ],
      { print: (line) => lines.push(line), ask: async () => '' },
      isPatient,
    )
    return { code, lines }
  }
  /** As long as it takes until the signers have done what they do. */
  async function both(args: readonly string[], indexes: readonly number[], liar?: number) {
    const earlier = new Set(statements())
    let isTaking = true
    const taken = take(earlier, indexes, liar).finally(() => (isTaking = false))
    const [ran, { name }] = await Promise.all([run(args, () => isTaking), taken])
    return { ...ran, name }
  }

  it('is done when the signers have signed for having kept it', async () => {
    const { code, lines, name } = await both(['organization'], [1, 2, 3, 4])
    assert.deepEqual(lines, [
      `statement ${name.slice(0, 64)}`,
      ...[1, 2, 3, 4].map((index) => `acknowledged by signer-${index}`),
      '4 of 4 signers; 3 are needed',
    ])
    assert.equal(code, 0)
  })

  it('does not believe what lies in the folder without a signer’s signature', async () => {
    const { code, lines } = await both(['organization'], [1, 2], 3)
    assert.equal(lines.at(-1), '2 of 4 signers; 3 are needed')
    assert.equal(code, 1)
  })

  it('says of each kind what is meant, and of whom', async () => {
    const [id, other] = ['ab'.repeat(32), 'cd'.repeat(32)]
    const said = async (...args: string[]) => {
      const earlier = new Set(statements())
      await run(args)
      const [name = ''] = statements().filter((one) => !earlier.has(one))
      const { kind, target, user } =
        readStatement((await mailbox.read(name)) ?? assert.fail())?.statement ?? assert.fail()
      return [kind, toHex(target), toHex(user)]
    }
    const kinds = {
      user: 'freezeUser',
      key: 'freezeKey',
      credential: 'revokeCredential',
      token: 'revokeToken',
      recovery: 'cancelRecovery',
      approval: 'denyApproval',
      policy: 'keepPolicy',
    }
    const founder = toHex(world.administrator.user)
    for (const [what, kind] of Object.entries(kinds)) {
      assert.deepEqual(await said(what, id), [kind, id, founder])
      assert.deepEqual(await said('--author', other, what, id), [kind, id, other])
    }
  })

  it('reaches the signers by one mailbox though another is broken', async () => {
    const broken = join(world.dir, 'nowhere')
    const args = ['--mailbox', `${broken},${folder}`, 'key', keyId]
    const { code, lines } = await both(args, [1, 2, 3, 4])
    assert.equal(lines[1], `not laid into ${broken}: ENOENT`)
    assert.equal(code, 0)
  })

  it('takes a passkey’s answer to the challenge that it shows', async () => {
    const passkey = newPasskey()
    const fingerprint = toHex(fingerprintOf(passkey.spki))
    const lines: string[] = []
    const page = join(world.dir, 'page.html')
    const args = ['--mailbox', folder, '--manifest', manifest, '--genesis', 'ab'.repeat(32)]
    const earlier = new Set(statements())
    await freezeCommand(
      [...args, '--passkey', fingerprint, '--page', page, 'organization'],
      {
        print: (line) => lines.push(line),
        ask: async () => {
          const [, challenge = ''] = lines.at(-1)?.split(' ') ?? []
          return JSON.stringify(passkey.get(challenge).credentialAssertion)
        },
      },
      () => false,
    )
    const [, policy = ''] = /script-src 'sha256-([^']+)'/.exec(readFileSync(page, 'utf8')) ?? []
    const [, script = ''] = /<script>(.*)<\/script>/s.exec(readFileSync(page, 'utf8')) ?? []
    assert.equal(createHash('sha256').update(script).digest('base64'), policy)
    assert.ok(new Script(script))
    const [name = ''] = statements().filter((one) => !earlier.has(one))
    const read = readStatement((await mailbox.read(name)) ?? assert.fail()) ?? assert.fail()
    assert.equal(statementName(read.hash), name)
    assert.equal(toHex(read.assertion.fingerprint), fingerprint)
    assert.ok(read.assertion.authenticatorData)
    const challenge = Buffer.from(read.challenge).toString('base64url')
    assert.equal(JSON.parse(Buffer.from(read.assertion.clientData).toString()).challenge, challenge)
  })

  it('says how it is used, and puts nothing anywhere, when something is missing or not whole', async () => {
    const before = readdirSync(folder)
    const wrong = [
      ['key', 'key-01'],
      ['key'],
      ['organization', 'ab'.repeat(32)],
      ['wallet', 'ab'.repeat(32)],
      ['--passkey', 'ab'.repeat(32), 'organization'],
      ['--mailbox', 'ftp://example.test', 'organization'],
      ['--genesis', 'ab', 'organization'],
      ['--author', 'us-1', 'organization'],
    ]
    for (const args of wrong) {
      const { code, lines } = await run(args)
      assert.equal(code, 2, args.join(' '))
      assert.match(lines.join('\n'), /\nusage: quorate freeze/)
    }
    assert.deepEqual(readdirSync(folder), before)
  })
})
