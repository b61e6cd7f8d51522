import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { generateKeyPairSync } from 'node:crypto'
import { rawPublicKey, signEd25519, verifyEd25519 } from '@quorate/authority/ed25519'
import {
  decodePacket,
  encodePacket,
  everybody,
  headerBytes,
  openPacket,
  packetFor,
  sealPacket,
} from './packet.ts'
import { makeFreshKey, seal, unseal } from './sealing.ts'

const { privateKey } = generateKeyPairSync('ed25519')
const sign = (message: Uint8Array) => signEd25519(privateKey, message)
const verify = (message: Uint8Array, signature: Uint8Array) =>
  verifyEd25519(rawPublicKey(privateKey), message, signature)
const place = {
  protocol: 'dkg',
  manifest: new Uint8Array(32).fill(1),
  ceremony: new Uint8Array(32).fill(2),
  round: 2,
  from: 3,
} as const
const header = { ...place, fresh: undefined }
const whole = sealPacket(
  header,
  [
    { to: everybody, body: new Uint8Array([1]) },
    { to: 1, body: new Uint8Array([2]) },
    { to: 2, body: new Uint8Array([3]) },
  ],
  sign,
)

describe('a packet', () => {
  it('gives each receiver what is for everybody and for it, and nothing else', () => {
    const received = decodePacket(encodePacket(packetFor(1, whole)))
    const opened = openPacket(received, { ...place, self: 1 }, verify)
    assert.deepEqual(
      opened?.parts.map(({ body }) => body[0]),
      [1, 2],
    )
    assert.equal(received.parts[2]?.body, undefined)
  })

  it('is refused in any other place than the one it was signed for', () => {
    for (const other of [
      { round: 1 },
      { from: 1 },
      { protocol: 'ecdsa' },
      { ceremony: new Uint8Array(32) },
      { manifest: new Uint8Array(32) },
    ] as const)
      assert.equal(openPacket(whole, { ...place, self: 1, ...other }, verify), undefined)
    assert.ok(openPacket(whole, { ...place, self: 1 }, verify))
  })

  it('is refused when a part is changed, missing, or given to another', () => {
    const changed = whole.parts.map((part, i) =>
      i === 1 ? { ...part, body: new Uint8Array([9]) } : part,
    )
    assert.equal(openPacket({ ...whole, parts: changed }, { ...place, self: 1 }, verify), undefined)
    assert.equal(openPacket(packetFor(2, whole), { ...place, self: 1 }, verify), undefined)
    const redirected = whole.parts.map((part) => ({ ...part, to: 1 }))
    assert.equal(
      openPacket({ ...whole, parts: redirected }, { ...place, self: 1 }, verify),
      undefined,
    )
    const dropped = { ...whole, parts: whole.parts.slice(0, 1) }
    assert.equal(openPacket(dropped, { ...place, self: 1 }, verify), undefined)
  })

  it('carries a fresh key in round 1 and in no other', () => {
    const late = sealPacket({ ...header, fresh: new Uint8Array(32) }, [], sign)
    assert.equal(openPacket(late, { ...place, self: 1 }, verify), undefined)
    const missing = sealPacket({ ...header, round: 1 }, [], sign)
    assert.equal(openPacket(missing, { ...place, round: 1, self: 1 }, verify), undefined)
  })

  it('carries none where nothing is sealed', () => {
    const open = { ...place, protocol: 'frost', round: 1 } as const
    const at = { ...header, protocol: 'frost', round: 1 } as const
    const bare = sealPacket(at, [], sign)
    assert.deepEqual(openPacket(bare, { ...open, self: 1 }, verify), {
      fresh: undefined,
      parts: [],
    })
    const keyed = sealPacket({ ...at, fresh: new Uint8Array(32) }, [], sign)
    assert.equal(openPacket(keyed, { ...open, self: 1 }, verify), undefined)
  })
})

describe('a sealed part', () => {
  const [alice, bob, eve] = [makeFreshKey(), makeFreshKey(), makeFreshKey()]
  const at = { header: headerBytes(header), to: 1, part: 0 }
  const secret = new Uint8Array([42, 43])
  const sealed = seal(alice, bob.publicKey, at, secret) ?? new Uint8Array()

  it('opens for its receiver, in its place', () => {
    assert.deepEqual(unseal(bob, alice.publicKey, at, sealed), secret)
  })

  it('opens for nobody else, nowhere else, and not when changed', () => {
    assert.equal(unseal(eve, alice.publicKey, at, sealed), undefined)
    assert.equal(unseal(bob, eve.publicKey, at, sealed), undefined)
    assert.equal(unseal(bob, alice.publicKey, { ...at, part: 1 }, sealed), undefined)
    assert.equal(unseal(bob, alice.publicKey, { ...at, to: 2 }, sealed), undefined)
    const elsewhere = { ...at, header: headerBytes({ ...header, round: 3 }) }
    assert.equal(unseal(bob, alice.publicKey, elsewhere, sealed), undefined)
    assert.equal(unseal(bob, alice.publicKey, at, sealed.with(0, 1 ^ (sealed[0] ?? 0))), undefined)
    assert.equal(unseal(bob, alice.publicKey, at, new Uint8Array(3)), undefined)
    assert.equal(unseal(bob, new Uint8Array(32), at, sealed), undefined)
    assert.equal(seal(bob, new Uint8Array(32), at, secret), undefined)
  })

  it('opens only under the very bytes of both keys, whatever else stands for the same keys', () => {
    // RFC 7748, section 5: the highest bit is not looked at.
    const twin = (key: Uint8Array) => key.with(31, 128 ^ (key[31] ?? 0))
    assert.equal(unseal(bob, twin(alice.publicKey), at, sealed), undefined)
    const toTwin = seal(alice, twin(bob.publicKey), at, secret) ?? new Uint8Array()
    assert.equal(unseal(bob, alice.publicKey, at, toTwin), undefined)
    assert.deepEqual(
      unseal({ ...bob, publicKey: twin(bob.publicKey) }, alice.publicKey, at, toTwin),
      secret,
    )
  })

  it('is not one that its receiver could have sealed to its sender', () => {
    assert.notDeepEqual(seal(bob, alice.publicKey, at, secret), sealed)
  })
})
