import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { rawPublicKey, signEd25519, verifyEd25519 } from './ed25519.ts'
import { networksMax, type OwnNetwork, readManifest, signManifest } from './manifest.ts'
import { makeCluster } from './testing/world.ts'

const own: OwnNetwork = { id: 'MyChain', chainId: 777_001, feeCeiling: 10n ** 17n, legacy: false }
const other: OwnNetwork = { ...own, id: 'MyOtherChain', chainId: 777_002, legacy: true }

describe('the networks of an operator’s own', () => {
  it('are in the manifest as every operator has signed them', () => {
    assert.deepEqual(makeCluster(undefined, [own, other]).manifest.networks, [own, other])
  })

  it('may be none, and then the manifest is what it was before there could be any', () => {
    const { manifest, file } = makeCluster()
    assert.deepEqual(manifest.networks, [])
    assert.ok(Buffer.from(file).includes('quorate/manifest/1'))
  })

  it('have names of which no two are alike', () => {
    for (const id of ['', 'myChain', 'My-Chain', 'My/Chain', 'M', `M${'y'.repeat(31)}`.concat('y')])
      assert.throws(() => makeCluster(undefined, [{ ...own, id }]), id)
    assert.throws(() => makeCluster(undefined, [own, { ...other, id: 'MyChain' }]), /alike/)
    assert.throws(() => makeCluster(undefined, [own, { ...other, id: 'MYChain' }]), /alike/)
  })

  it('are each on a chain, and no two on one', () => {
    assert.throws(() => makeCluster(undefined, [{ ...own, chainId: 0 }]), /on no chain/)
    const same = { ...other, chainId: own.chainId }
    assert.throws(() => makeCluster(undefined, [own, same]), /on one chain/)
  })

  it('have fees, which end somewhere', () => {
    assert.throws(() => makeCluster(undefined, [{ ...own, feeCeiling: 0n }]), /no fees/)
  })

  it('may have a contract that moves the coin itself, and say so whole', () => {
    const nativeContract = { address: `0x${'c0'.repeat(20)}`, units: 10n ** 12n }
    const networks = [{ ...own, nativeContract }, other]
    const { manifest, file } = makeCluster(undefined, networks)
    assert.deepEqual(manifest.networks, networks)
    assert.ok(Buffer.from(file).includes('quorate/manifest/3'))
    assert.ok(Buffer.from(makeCluster(undefined, [own]).file).includes('quorate/manifest/2'))
    for (const wrong of [
      { address: `0x${'C0'.repeat(20)}` },
      { address: `0x${'c0'.repeat(19)}` },
      { units: 0n },
      { units: 10n ** 18n + 1n },
    ]) {
      const made = { ...own, nativeContract: { ...nativeContract, ...wrong } }
      assert.throws(() => makeCluster(undefined, [made]), /no contract of the coin/)
    }
  })

  it('find room, however much each says', () => {
    const nativeContract = { address: `0x${'c0'.repeat(20)}`, units: 10n ** 18n }
    const most = Array.from({ length: networksMax }, (_, i) => ({
      ...{ ...own, id: `M${'y'.repeat(29)}${10 + i}`, chainId: 777_001 + i, nativeContract },
      feeCeiling: 2n ** 256n - 1n,
    }))
    const { manifest } = makeCluster({ n: 7, t: 3, q: 5 }, most)
    assert.equal(manifest.networks.length, networksMax)
  })

  it('are few', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ ...own, id: `My${i}`, chainId: 777_001 + i }))
    assert.equal(makeCluster(undefined, many(networksMax)).manifest.networks.length, networksMax)
    assert.throws(() => makeCluster(undefined, many(networksMax + 1)), { code: 'bytes.malformed' })
  })

  it('are nobody’s who has not asked every operator', () => {
    const [first, second] = [1, 2].map(() => generateKeyPairSync('ed25519').privateKey)
    assert.ok(first && second)
    const { manifest } = makeCluster({ n: 2, t: 2, q: 2 })
    const signers = manifest.signers.map((signer, i) => ({
      ...signer,
      operator: rawPublicKey(i === 0 ? first : second),
    }))
    // The second has signed a manifest without the network.
    const body = { ...manifest, signers, networks: [own] }
    const bare = signManifest({ ...body, networks: [] }, (_, said) => signEd25519(second, said))
    const withOwn = signManifest(body, (i, said) =>
      i === 1 ? signEd25519(first, said) : bare.slice(-64),
    )
    assert.throws(() => readManifest(withOwn, verifyEd25519), /not signed by every operator/)
  })
})
