import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { once } from 'node:events'
import { createServer, connect, type TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { makeAuthority } from './certificates.ts'
import { readOwnNetworks } from './own-networks.ts'
import { type Cluster, provision } from './provision.ts'

const folder = mkdtempSync(join(tmpdir(), 'quorate-provision-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const now = new Date('2026-01-01T00:00:00Z')
const made = provision(join(folder, 'cluster'), now)

describe('a provisioned cluster', () => {
  it('has four signers, of which two sign and three decide, named by a signed manifest', async () => {
    const { manifestFile, signers } = await made
    const manifest = readManifest(readFileSync(manifestFile), verifyEd25519)
    assert.deepEqual(
      { n: manifest.signers.length, t: manifest.threshold, q: manifest.quorum },
      { n: 4, t: 2, q: 3 },
    )
    for (const [i, { tlsCertFile }] of signers.entries()) {
      const { publicKey } = new X509Certificate(readFileSync(tlsCertFile))
      const spki = publicKey.export({ type: 'spki', format: 'der' })
      assert.equal(toHex(manifest.signers[i]?.tls ?? new Uint8Array()), toHex(sha256(spki)))
    }
  })

  it('is the same at every later start', async () => {
    const first = await made
    const again = await provision(join(folder, 'cluster'), now)
    assert.deepEqual(again, first)
  })

  it('keeps every file to its user, and every key-encryption key different', async () => {
    const { signers } = await made
    for (const path of readdirSync(join(folder, 'cluster'), {
      recursive: true,
      encoding: 'utf8',
    })) {
      const { mode } = statSync(join(folder, 'cluster', path))
      assert.equal(mode & 0o077, 0, path)
    }
    const keys = signers.map(({ kekFile }) => readFileSync(kekFile))
    assert.deepEqual(
      keys.map((key) => key.length),
      [32, 32, 32, 32],
    )
    assert.equal(new Set(keys.map((key) => key.toString('hex'))).size, 4)
  })

  it('is made anew when making it was cut short', async () => {
    const dir = join(folder, 'cut-short')
    mkdirSync(`${dir}.new/server`, { recursive: true })
    const { manifestFile } = await provision(dir, now)
    assert.ok(existsSync(manifestFile))
    assert.ok(!existsSync(`${dir}.new`))
  })

  it('leaves no key behind that could sign another certificate', async () => {
    const { caFile } = await made
    const names = readdirSync(join(folder, 'cluster'), { recursive: true, encoding: 'utf8' })
    const authority = new X509Certificate(readFileSync(caFile))
    for (const path of names.filter((name) => name.endsWith('.pem'))) {
      const text = readFileSync(join(folder, 'cluster', path), 'utf8')
      if (!text.includes('PRIVATE KEY')) continue
      assert.ok(!authority.checkPrivateKey(createPrivateKey(text)), path)
    }
  })
})

describe('the link certificates', () => {
  it('let a signer and the server know each other', async () => {
    const cluster = await made
    const [signer] = cluster.signers
    assert.ok(signer)
    assert.equal(await greet(cluster, pem(signer)), 'hello signer-1')
  })

  it('keep out a stranger of another authority, and a server posing as a signer', async () => {
    const cluster = await made
    const stranger = await (await makeAuthority('other', now)).issue('signer-1', 'client')
    const posing = { cert: stranger.certificatePem, key: stranger.privateKeyPem }
    assert.equal(await greet(cluster, posing), 'closed')
    assert.equal(await greet(cluster, pem(cluster.server)), 'closed')
    assert.equal(await greet(cluster, {}), 'closed')
  })
})

describe('networks of an operator’s own', () => {
  const file = join(folder, 'networks.json')
  const read = (entry: object) => {
    writeFileSync(file, JSON.stringify(entry))
    return readOwnNetworks(file)
  }
  const own = { MyChain: { chainId: 777_001, feeCeiling: '100000000000000000' } }
  const checksummed = '0x471EcE3750Da237f93B8E339c536989b8978a438'

  it('are in the manifest that is made, and in it for the life of the cluster', async () => {
    const networks = read(own) ?? assert.fail()
    const dir = join(folder, 'own')
    const { manifestFile } = await provision(dir, now, networks)
    const { networks: made } = readManifest(readFileSync(manifestFile), verifyEd25519)
    assert.deepEqual(made, networks)
    assert.equal(made[0]?.feeCeiling, 10n ** 17n)
    await provision(dir, now, networks)
    await provision(dir, now)
    const others = read({ ...own, MyOther: { ...own.MyChain, chainId: 777_002, legacy: true } })
    await assert.rejects(provision(dir, now, others), /keeps those: MyChain \(chain 777001\)\. /)
    await assert.rejects(provision(dir, now, read({})), /keeps those/)
    await assert.rejects(provision(join(folder, 'cluster'), now, networks), /keeps those/)
  })

  it('have a contract that moves the coin where the file says so, in whatever spelling', async () => {
    const nativeContract = { address: checksummed, units: '1000000000000' }
    const networks = read({ MyChain: { ...own.MyChain, nativeContract } }) ?? assert.fail()
    const dir = join(folder, 'coin')
    const { manifestFile } = await provision(dir, now, networks)
    await provision(dir, now, networks)
    const { networks: made } = readManifest(readFileSync(manifestFile), verifyEd25519)
    const address = checksummed.toLowerCase()
    assert.deepEqual(made[0]?.nativeContract, { address, units: 10n ** 12n })
    await assert.rejects(provision(dir, now, read(own)), /keeps those/)
  })

  it('make no cluster where one of them would pass for another', async () => {
    const dir = join(folder, 'colliding')
    await assert.rejects(provision(dir, now, read({ Base: own.MyChain })), /another network/)
    const onOne = read({ MyChain: { ...own.MyChain, chainId: 1 } })
    await assert.rejects(provision(dir, now, onOne), /another network/)
    assert.ok(!existsSync(dir))
  })

  it('are none without a file, and every entry of one is whole', () => {
    assert.equal(readOwnNetworks(''), undefined)
    const { MyChain } = own
    for (const wrong of [
      { ...MyChain, feeCeiling: 1 },
      { ...MyChain, feeCeiling: '0x1' },
      { ...MyChain, feeCeiling: '0' },
      { ...MyChain, chainId: '777001' },
      { ...MyChain, legacy: 'yes' },
      { ...MyChain, name: 'Mine' },
      { ...MyChain, nativeContract: null },
      { ...MyChain, nativeContract: { address: checksummed } },
      { ...MyChain, nativeContract: { address: checksummed.replace('E', 'e'), units: '1' } },
      { ...MyChain, nativeContract: { address: checksummed, units: '0' } },
      { ...MyChain, nativeContract: { address: checksummed, units: '1', symbol: 'MINE' } },
      { chainId: 1 },
    ])
      assert.throws(() => read({ MyChain: wrong }), /wrong at MyChain/)
    assert.throws(() => read([]), /JSON object/)
  })
})

type Pem = { readonly cert?: string; readonly key?: string }

function pem(files: { readonly tlsCertFile: string; readonly tlsKeyFile: string }): Pem {
  const { tlsCertFile, tlsKeyFile } = files
  return { cert: readFileSync(tlsCertFile, 'utf8'), key: readFileSync(tlsKeyFile, 'utf8') }
}

/** What the server says first to whoever dials with `client`. */
async function greet(cluster: Cluster, client: Pem): Promise<string> {
  const ca = readFileSync(cluster.caFile)
  const options = { ...pem(cluster.server), ca, requestCert: true, rejectUnauthorized: true }
  const server = createServer({ ...options, minVersion: 'TLSv1.3' }, (socket: TLSSocket) => {
    socket.on('error', () => undefined)
    socket.end(`hello ${String(socket.getPeerCertificate().subject.CN)}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = address === null || typeof address === 'string' ? 0 : address.port
  const socket = connect({ host: '127.0.0.1', port, ca, ...client })
  let said = ''
  socket.on('error', () => undefined).on('data', (chunk) => (said += chunk))
  await new Promise((resolve) => socket.on('close', resolve))
  await new Promise((resolve) => server.close(resolve))
  return said || 'closed'
}
