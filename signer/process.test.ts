import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild, type Child } from '@quorate/devnet/child'
import { provision, type Cluster as Provisioned } from '@quorate/scripts/provision'
import type { Reply } from '@quorate/wire/link'
import { makeCluster as makeManifest } from '@quorate/authority/testing/world'
import { fromHex, toHex } from '@quorate/core/bytes'
import { markOf } from './store/mark.ts'
import { clusterIn, entry } from './testing/cluster.ts'
import { withLyingExtension } from './testing/corrupt.ts'
import { createKey } from './testing/keys.ts'
import { setUpPair, signCall } from './testing/signing.ts'
import { signatureRequest } from './testing/uses.ts'
import { openLinkServer, type Dialled, type LinkServer } from './testing/link-server.ts'
import { genesisRequest } from './testing/requests.ts'
import { World } from './testing/world.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const dies = fileURLToPath(new URL('testing/dies.ts', import.meta.url))

describe('a signer process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-signer-process-'))
  const children: Child[] = []
  let files: Provisioned
  let server: LinkServer
  let output = ''

  before(async () => {
    files = await provision(join(dir, 'cluster'), new Date())
    const { tlsKeyFile, tlsCertFile } = files.server
    const [key, cert, ca] = [tlsKeyFile, tlsCertFile, files.caFile].map((file) =>
      readFileSync(file, 'utf8'),
    )
    assert.ok(key !== undefined && cert !== undefined && ca !== undefined)
    server = await openLinkServer({ key, cert, ca })
  })
  beforeEach(() => {
    output = ''
  })
  after(async () => {
    await Promise.all(children.map((child) => child.stop()))
    await server.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const environment = (index: number): Record<string, string> => {
    const signer = entry(files.signers, index - 1)
    return {
      SIGNER_ID: signer.id,
      SIGNER_STORE_FILE: signer.storeFile,
      SIGNER_KEK_FILE: signer.kekFile,
      SIGNER_IDENTITY_FILE: signer.identityFile,
      SIGNER_MANIFEST_FILE: files.manifestFile,
      SIGNER_MANIFEST_HASH: files.manifestHash,
      SIGNER_SERVER_URL: `https://127.0.0.1:${server.port}`,
      SIGNER_TLS_KEY_FILE: signer.tlsKeyFile,
      SIGNER_TLS_CERT_FILE: signer.tlsCertFile,
      SIGNER_TLS_CA_FILE: files.caFile,
    }
  }

  async function run(index: number, args: readonly string[] = [main], change = {}): Promise<Child> {
    const child = await startChild({
      command: process.execPath,
      args: [...args],
      env: { ...environment(index), ...change },
      onOutput: (chunk) => {
        output += chunk.toString()
      },
    })
    children.push(child)
    return child
  }

  const worldOf = () => new World({ real: [], cluster: clusterIn(files), now: Date.now() })
  const deskOf =
    ({ ask }: Dialled) =>
    async (call: Parameters<Dialled['ask']>[0]): Promise<Reply> => {
      const reply = await ask(call)
      assert.ok(reply, 'the link has ended')
      return reply
    }

  it('dials, says who it is, answers, and ends cleanly when asked to', async () => {
    const child = await run(1)
    const dialled = await server.next()
    assert.equal(dialled.hello.signer, 1)
    assert.deepEqual(dialled.hello.manifest, clusterIn(files).manifest.hash)
    assert.equal((await dialled.ask({ kind: 'ping' }))?.kind, 'pong')
    const world = worldOf()
    world.attach(1, deskOf(dialled))
    await world.found()
    world.close()
    await child.stop()
    assert.equal(await child.exited, 'exit code 0')
    const events = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event)
    assert.deepEqual(events.slice(0, 2), ['ready', 'link-open'])
    assert.equal(events.at(-1), 'stopped')
  })

  it('dials again, and closes on a server that talks nonsense', async () => {
    const child = await run(1)
    const first = await server.next()
    first.sendBytes(new Uint8Array([0, 0, 0, 1, 99]))
    await first.closed
    const second = await server.next()
    assert.deepEqual(second.hello.bootId, first.hello.bootId)
    assert.equal((await second.ask({ kind: 'ping' }))?.kind, 'pong')
    await child.stop()
  })

  it('does not talk to a server that its authority has not named', async () => {
    const other = await provision(join(dir, 'other'), new Date())
    const child = await run(1, [main], { SIGNER_TLS_CA_FILE: other.caFile })
    const early = server.next()
    const outcome = await Promise.race([
      early.then(() => 'dialled'),
      new Promise((resolve) => setTimeout(resolve, 1_500, 'nothing')),
    ])
    assert.equal(outcome, 'nothing')
    await child.stop()
    // Whoever comes next is for the promise above, which nobody else may be given.
    const proper = await run(1)
    await early
    await proper.stop()
  })

  it('killed between its vote and its answer, gives the same vote again and no other', async () => {
    const world = worldOf()
    const doomed = await run(2, [dies, 'vote'])
    const dialled = await server.next()
    const { evidence, administrator } = genesisRequest(world.cluster.manifest.hash, world.now)
    const place = {
      organization: administrator.organization,
      stream: { kind: 'root', id: administrator.organization },
    } as const
    const asked = [{ kind: 'genesis', evidence }] as const
    const drafted = world.draft(place, asked)
    world.now += 1
    const other = world.draft(place, asked)
    assert.notDeepEqual(other.step.hash, drafted.step.hash)
    const propose = (step: typeof drafted.step) =>
      ({
        kind: 'agree',
        ...place,
        request: world.propose(place, step),
        session: undefined,
      }) as const
    assert.equal(await dialled.ask(propose(drafted.step)), undefined)
    assert.equal(await doomed.exited, 'signal SIGKILL')

    const again = await run(2)
    const back = await server.next()
    assert.notDeepEqual(back.hello.bootId, dialled.hello.bootId)
    const refusal = await back.ask(propose(other.step))
    assert.ok(refusal?.kind === 'agree' && refusal.answer.kind === 'refusal')
    assert.equal(refusal.answer.reason, 'voted')
    const vote = await back.ask(propose(drafted.step))
    assert.ok(vote?.kind === 'agree' && vote.answer.kind === 'vote')
    await again.stop()
    world.close()
  })

  it('killed right after a failed check of a pair, has burned it, and knows so ever after', async () => {
    const { kekFile, storeFile } = entry(files.signers, 2)
    const world = new World({ cluster: clusterIn(files), now: Date.now(), real: [1, 2, 4] })
    world.open(3, { kek: new Uint8Array(readFileSync(kekFile)), file: storeFile })
    await world.found()
    const key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    await setUpPair(world, 3, 4)
    world.pass(Date.now() - world.now)
    const place = world.keyPlace(key.id)
    const drafted = await world.put('use', signatureRequest(world, key), place.stream)
    world.leave(3)

    const doomed = await run(3, [dies, 'aborted'])
    world.attach(3, deskOf(await server.next()))
    const call = signCall(place, drafted, { quorum: [3, 4] })
    const [three, four] = [await world.session(3, call), await world.session(4, call)]
    assert.ok(three.kind === 'packet' && four.kind === 'packet')
    const message = fromHex('22'.repeat(32))
    const packets = [withLyingExtension(world, { key, call, message }, four.packet)]
    const advance = { kind: 'advance', ceremony: three.ceremony, packets } as const
    await assert.rejects(world.session(3, advance), /link has ended/)
    assert.equal(await doomed.exited, 'signal SIGKILL')

    const again = await run(3)
    world.attach(3, deskOf(await server.next()))
    const next = await world.session(3, signCall(place, drafted, { quorum: [3, 4] }))
    assert.deepEqual(next, { kind: 'unpaired', peers: [4], burned: [4] })
    const anew = await setUpPair(world, 3, 4)
    assert.deepEqual(anew.get(3), { kind: 'unpaired', peers: [4], burned: [4] })
    await again.stop()
    rmSync(storeFile)
    writeFileSync(markOf(storeFile), '0\n')
    world.close()
  })

  describe('does not start', () => {
    const refuses = async (change: object, reason: RegExp, without: readonly string[] = []) => {
      const env = { ...environment(3), ...change } as Record<string, string>
      for (const name of without) delete env[name]
      output = ''
      const child = await startChild({
        command: process.execPath,
        args: [main],
        env,
        onOutput: (chunk) => {
          output += chunk.toString()
        },
      })
      children.push(child)
      assert.equal(await child.exited, 'exit code 78')
      assert.match(output, reason)
      assert.ok(!output.includes('ready'))
    }

    it('without its settings, or with one that it does not know', async () => {
      await refuses({ SIGNER_MANIFEST_HASH: 'x', SIGNER_TYPO: '1' }, /HASH is not valid[^]*TYPO/)
      await refuses({ SIGNER_SERVER_URL: 'http://127.0.0.1:1' }, /SIGNER_SERVER_URL is not valid/)
    })

    it('without a key-encryption key, with two, or with one that others may read', async () => {
      await refuses({}, /SIGNER_KEK_FILE or SIGNER_KEK_COMMAND/, ['SIGNER_KEK_FILE'])
      await refuses({ SIGNER_KEK_COMMAND: 'true' }, /one of them/)
      const readable = join(dir, 'readable')
      writeFileSync(readable, randomBytes(32))
      chmodSync(readable, 0o644)
      await refuses({ SIGNER_KEK_FILE: readable }, /others than its owner/)
    })

    it('with an identity or a link key that others may read', async () => {
      const { identityFile, tlsKeyFile } = entry(files.signers, 2)
      for (const [name, file] of [
        ['SIGNER_IDENTITY_FILE', identityFile],
        ['SIGNER_TLS_KEY_FILE', tlsKeyFile],
      ] as const) {
        const readable = join(dir, name)
        cpSync(file, readable)
        chmodSync(readable, 0o640)
        await refuses({ [name]: readable }, /others than its owner/)
      }
    })

    it('with another manifest, identity or store than its own', async () => {
      await refuses(
        { SIGNER_MANIFEST_HASH: '00'.repeat(32) },
        /not the one that SIGNER_MANIFEST_HASH/,
      )
      await refuses({ SIGNER_ID: 'signer-9' }, /names no signer-9/)
      const colliding = join(dir, 'colliding')
      const own = { id: 'Base', chainId: 777_001, feeCeiling: 1n, legacy: false }
      const { file, manifest } = makeManifest(undefined, [own])
      writeFileSync(colliding, file)
      await refuses(
        { SIGNER_MANIFEST_FILE: colliding, SIGNER_MANIFEST_HASH: toHex(manifest.hash) },
        /There is another network Base/,
      )
      await refuses({ SIGNER_ID: 'signer-1' }, /identity key is not the one/)
      const used = entry(files.signers, 1).storeFile
      await refuses({ SIGNER_STORE_FILE: used }, /store is of another signer/)
      const { storeFile } = entry(files.signers, 2)
      const child = await run(3)
      await server.next()
      await child.stop()
      const copy = join(dir, 'copy.sqlite')
      cpSync(storeFile, copy)
      await refuses({ SIGNER_STORE_FILE: copy }, /may be an old copy/)
      const kek = entry(files.signers, 0).kekFile
      await refuses({ SIGNER_STORE_FILE: storeFile, SIGNER_KEK_FILE: kek }, /sealed under another/)
    })

    it('on no store at all, unless it is a new signer', async () => {
      const lost = join(dir, 'not-mounted.sqlite')
      await refuses(
        { SIGNER_STORE_FILE: lost },
        /there is no store .*not-mounted\.sqlite, and this/,
      )
      assert.ok(!existsSync(lost))
    })

    it('on a store that another process has open', async () => {
      const child = await run(3)
      await server.next()
      await refuses({}, /locked/)
      await child.stop()
    })
  })

  it('takes the key-encryption key from a command too', async () => {
    const { kekFile } = entry(files.signers, 3)
    const env = { ...environment(4), SIGNER_KEK_COMMAND: `cat '${kekFile}'` } as Record<
      string,
      string
    >
    delete env['SIGNER_KEK_FILE']
    const child = await startChild({
      command: process.execPath,
      args: [main],
      env: { ...env, PATH: '/usr/bin:/bin' },
      onOutput: () => undefined,
    })
    children.push(child)
    assert.equal((await server.next()).hello.signer, 4)
    await child.stop()
  })
})
