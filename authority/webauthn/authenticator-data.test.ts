import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, concatAll, fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { randomFrom } from '../agreement/model/random.ts'
import { attempt } from '../attempt.ts'
import { writeCbor } from '../testing/cbor.ts'
import { mutated, runs } from '../testing/mutations.ts'
import { coseKeyOf, newPasskey, registrationData } from '../testing/passkey.ts'
import { authenticatorDataBytesMax, readAuthenticatorData } from './authenticator-data.ts'

const key = createPublicKey(newPasskey().key)
const about = { relyingParty: 'example.test', userVerified: true, key }
const registration = registrationData({ ...about, credId: new Uint8Array(32).fill(7) })
const header = (flags: number) =>
  concat(new Uint8Array(32).fill(1), new Uint8Array([flags, 0, 0, 1, 2]))
const extensions = writeCbor(new Map([['credProtect', 2]]))

function refuses(bytes: Uint8Array, expected: RegExp) {
  assert.throws(
    () => readAuthenticatorData(bytes),
    (error) => isFailure(error, 'bytes.malformed') && expected.test(error.context.expected),
  )
}

describe('authenticator data', () => {
  it('says whether a user was there and known, and whether the credential has a copy', () => {
    const read = readAuthenticatorData(header(0x1d))
    assert.deepEqual(read, {
      relyingPartyHash: new Uint8Array(32).fill(1),
      ...{ userPresent: true, userVerified: true, backupEligible: true, backedUp: true },
      signCount: 258,
      attested: undefined,
    })
    const bare = readAuthenticatorData(header(0x22)) // the two that mean nothing yet
    assert.deepEqual(
      [bare.userPresent, bare.userVerified, bare.backupEligible, bare.backedUp],
      [false, false, false, false],
    )
    refuses(header(0x11), /backup/)
  })

  it('holds a new credential, and extensions that are read and ignored', () => {
    const { attested } = readAuthenticatorData(registration)
    assert.deepEqual(attested?.id, new Uint8Array(32).fill(7))
    assert.deepEqual(attested?.publicKey, coseKeyOf(key))
    assert.deepEqual(attested?.aaguid, new Uint8Array(16))
    const extended = concat(registration, extensions).with(32, 0xc5)
    assert.deepEqual(readAuthenticatorData(extended).attested, attested)
    assert.equal(readAuthenticatorData(concat(header(0x81), extensions)).attested, undefined)
  })

  it('ends where its flags say', () => {
    refuses(header(1).subarray(0, 36), /authenticator data/)
    refuses(concat(header(1), new Uint8Array(1)), /further/)
    refuses(concat(header(1), extensions), /further/)
    refuses(concat(header(0x81), extensions, new Uint8Array(1)), /further/)
    refuses(header(0x81), /more bytes/)
    refuses(concat(header(0x81), fromHex('80')), /a map/)
    refuses(concat(registration, extensions), /further/)
    refuses(registration.with(32, 0x05), /further/)
    refuses(registration.subarray(0, -1), /more bytes/)
    refuses(new Uint8Array(authenticatorDataBytesMax + 1), /authenticator data/)
  })

  it('has a credential id of 1 to 1023 bytes, all of them there', () => {
    const withId = (credId: Uint8Array) => registrationData({ ...about, credId })
    assert.ok(readAuthenticatorData(withId(new Uint8Array(1))).attested)
    assert.ok(readAuthenticatorData(withId(new Uint8Array(1023))).attested)
    refuses(withId(new Uint8Array()), /credential id/)
    refuses(withId(new Uint8Array(1024)), /credential id/)
    for (const length of [0, 16, 17, 18, 20])
      refuses(concat(header(0x41), registration.subarray(37, 37 + length)), /credential id/)
  })

  it('gives back every byte it was read from, or is refused, whatever the bytes', () => {
    let accepted = 0
    runs(5_000, (seed) => {
      const random = randomFrom(seed)
      const base = random.pick([registration, concat(header(0x81), extensions)])
      const bytes = mutated(random, base)
      const read = attempt(() => readAuthenticatorData(bytes))
      if (read === undefined) return
      accepted++
      const { id = new Uint8Array(), aaguid, publicKey = new Map() } = read.attested ?? {}
      const length = new Uint8Array([id.length >> 8, id.length & 255])
      const attested = aaguid ? [aaguid, length, id, writeCbor(publicKey)] : []
      const front = concatAll([bytes.subarray(0, 37), ...attested])
      assert.deepEqual(bytes.subarray(0, front.length), front)
    })
    assert.ok(accepted > 100, 'hardly anything was accepted')
  })
})
