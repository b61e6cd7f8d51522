import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { genesisIn } from '@quorate/signer/testing/genesis'
import { toHex } from '@quorate/core/bytes'
import { World } from '@quorate/signer/testing/world'
import { freezeCommand } from './freeze.ts'

describe('quorate freeze', () => {
  const world = new World()
  const folder = join(world.dir, 'mailbox')
  const [manifest, keyFile] = [join(world.dir, 'manifest'), join(world.dir, 'key.pem')]
  before(async () => {
    mkdirSync(folder)
    await world.found()
    writeFileSync(manifest, world.cluster.encoded)
    const { privateKey } = world.administrator.credential
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  })
  after(() => world.close())

  /** As the signers do it that look into the folder, and one that lays down a lie. */
  async function take(indexes: readonly number[], liar?: number): Promise<void> {
    const earlier = new Set(readdirSync(folder))
    let name: string | undefined
    while (name === undefined) {
      await sleep(10)
      name = readdirSync(folder).find((one) => one.endsWith('.statement') && !earlier.has(one))
    }
    const signed = new Uint8Array(readFileSync(join(folder, name)))
    const ack = (index: number) => join(folder, name.replace('.statement', `.signer-${index}.ack`))
    for (const index of indexes) {
      const accepted = world.member(index).signer.accept(signed)
      assert.ok(accepted.ok, accepted.ok ? '' : accepted.reason)
      writeFileSync(ack(index), toHex(accepted.signature))
    }
    if (liar !== undefined) writeFileSync(ack(liar), '0'.repeat(128))
  }

  async function run(...what: readonly string[]) {
    const lines: string[] = []
    const args = [folder, manifest, keyFile, toHex(genesisIn(world)), 'founder', ...what]
    const code = await freezeCommand(args, (line) => lines.push(line), 500)
    return { code, lines }
  }

  it('is done when a quorum has signed for having kept it', async () => {
    const [{ code, lines }] = await Promise.all([run('organization'), take([1, 2, 3])])
    assert.equal(code, 0)
    assert.deepEqual(lines.slice(1), [
      ...[1, 2, 3].map((index) => `acknowledged by signer-${index}`),
      '3 of 4 signers; 3 are needed',
    ])
  })

  it('does not believe what lies in the folder without a signer’s signature', async () => {
    const [{ code, lines }] = await Promise.all([run('organization'), take([1, 2], 3)])
    assert.equal(code, 1)
    assert.equal(lines.at(-1), '2 of 4 signers; 3 are needed')
  })

  it('says how it is used, and puts nothing anywhere, when an id is not whole', async () => {
    const before = readdirSync(folder)
    const { code, lines } = await run('key', 'key-01')
    assert.equal(code, 2)
    assert.match(lines.join(), /^usage: quorate freeze/)
    assert.deepEqual(readdirSync(folder), before)
  })
})
