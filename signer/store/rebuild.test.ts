import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { erased } from '@quorate/authority/erasure'
import { decodeBody, encodeBody } from '@quorate/authority/body'
import { encodeStep } from '@quorate/authority/step'
import { keyStream, streamName } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { deciding, holdEverything, holdUse, serviceAccount } from '../testing/approvals.ts'
import { createKey, createWallet, type Key } from '../testing/keys.ts'
import { signatureRequest, transferRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'
import { rebuildStore } from './rebuild.ts'
import { blobOf } from './row.ts'

describe('a store rebuilt from its log', () => {
  const world = new World()
  let [file, organization]: [string, string] = ['', '']
  let key: Key
  before(async () => {
    await world.found()
    organization = toHex(world.organization)
    key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    const hash = `0x${'22'.repeat(32)}`
    for (const externalId of ['bob@example.test', 'eve@example.test']) {
      const evidence = signatureRequest(world, key, { kind: 'Hash', hash, externalId })
      await world.put('use', evidence, keyStream(key.id))
    }
    file = world.member(1).file
    assert.throws(() => rebuildStore(file, world.rules, { write: false }), /locked/)
    world.leave(1)
  })
  after(() => world.close())

  const rebuild = (write = false) => rebuildStore(file, world.rules, { write })
  const differences = (write = false) => rebuild(write).differences.map(({ what }) => what)
  const change = (statement: string, ...values: readonly (string | Uint8Array)[]) => {
    const db = new DatabaseSync(file)
    const { changes } = db.prepare(statement).run(...values)
    db.close()
    assert.notEqual(changes, 0)
  }
  const recordsIn = () => {
    const db = new DatabaseSync(file)
    const rows = db.prepare('select * from records').all()
    db.close()
    return rows
  }

  it('is the same, byte for byte', () => {
    const kept = recordsIn()
    const { steps, records, differences: none } = rebuild()
    assert.deepEqual([steps, records, none], [4, kept.length, []])
    assert.deepEqual(differences(true), [])
    assert.deepEqual(recordsIn(), kept)
  })

  it('shows what was changed, lost or made up, and mends it when it is told to', () => {
    const kept = recordsIn()
    const changes = [
      "update records set value = x'00' where key like 'organization%'",
      "delete from records where key like 'organization%'",
      "insert into records select organization, stream, 'organization/2', seq, value from records where stream like 'root%' limit 1",
    ]
    for (const statement of changes) {
      change(statement)
      assert.match(differences().join(), /^record root\/[0-9a-f]{64} 0: organization/)
      assert.equal(differences(true).length, 1)
      assert.deepEqual(recordsIn(), kept)
    }
  })

  it('needs no member that was erased', () => {
    const stream = streamName(keyStream(key.id))
    const db = new DatabaseSync(file)
    const row = db.prepare('select body from steps where stream = ? and seq = 1').get(stream)
    db.close()
    const { step, evidence } = decodeBody(blobOf(row ?? {}, 'body'))
    const left = evidence.map((one) => erased(one) ?? assert.fail('nothing was erased'))
    const body = encodeBody(encodeStep(step), left)
    change('update steps set body = ? where stream = ? and seq = 1', body, stream)
    assert.deepEqual(differences(), [])
  })

  it('believes no step that a quorum has not sealed, and writes nothing behind it', () => {
    const kept = recordsIn()
    const stream = streamName(keyStream(key.id))
    const swap = 'select certificate from steps where stream = ? and seq = 1'
    change(`update steps set certificate = (${swap}) where stream = ? and seq = 0`, stream, stream)
    assert.deepEqual(differences(true), [`step ${stream} 0: no quorum has sealed it`])
    assert.deepEqual(recordsIn(), kept)
    change(`delete from steps where stream = ? and seq = 0`, stream)
    assert.match(differences().join(), new RegExp(`^record ${stream}`))
  })

  it('is a command, whose exit says how it went', () => {
    const manifest = join(world.dir, 'manifest')
    writeFileSync(manifest, world.cluster.encoded)
    const program = fileURLToPath(new URL('../../scripts/quorate.ts', import.meta.url))
    const main = `import { main } from ${JSON.stringify(program)}; process.exitCode = await main()`
    const run = (...args: readonly string[]) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', main, '--', 'quorate', ...args], {
        encoding: 'utf8',
      })
    const second = world.member(2).file
    const busy = run('rebuild', 'signer', second, manifest)
    assert.deepEqual([busy.status, busy.stderr], [1, 'database is locked\n'])
    world.leave(2)
    const { status, stdout } = run('rebuild', 'signer', second, manifest)
    assert.match(stdout, /^4 steps make [0-9]+ records, 0 organizations differ\n$/)
    assert.equal(status, 0)
    const broken = run('rebuild', 'signer', file, manifest)
    assert.match(broken.stdout, new RegExp(`^DIFFERENCE in ${organization}: `))
    assert.equal(broken.status, 1)
    assert.equal(run('rebuild', 'signer').status, 2)
    assert.match(run('rebuild', 'signer', `${file}.no`, manifest).stderr, /^There is no /)
    assert.ok(!existsSync(`${file}.no`))
  })
})

describe('a store with approvals in the stream of a key', () => {
  it('is rebuilt with them: what waits, what was denied, and what was used', async () => {
    const world = new World({ real: [1] })
    await world.found()
    await holdEverything(world)
    const person = await serviceAccount(world)
    const { key, name } = await createWallet(world, 'EthereumSepolia')
    const stream = keyStream(key.id)
    for (const [nonce, value] of [undefined, 'Denied', 'Approved'].entries()) {
      const evidence = transferRequest(world, { key, name }, { nonce: BigInt(nonce), person })
      const approval = await holdUse(world, key, evidence)
      if (value !== 'Denied' && value !== 'Approved') continue
      await world.put('decision', deciding(world, approval, value), stream)
      if (value === 'Approved') await world.put('use', evidence, stream)
    }
    const { file } = world.member(1)
    world.leave(1)
    const rebuild = (write: boolean) =>
      rebuildStore(file, world.rules, { write }).differences.map(({ what }) => what)
    assert.deepEqual(rebuild(false), [])
    const db = new DatabaseSync(file)
    const forget = db.prepare('delete from records where stream = ? and key like ?')
    for (const kind of ['approval', 'held'])
      assert.notEqual(forget.run(streamName(stream), `${kind}/%`).changes, 0)
    db.close()
    assert.match(rebuild(true).join(), new RegExp(`^record ${streamName(stream)} .*: approval/`))
    assert.deepEqual(rebuild(false), [])
    world.close()
  })
})
