import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, fromHex, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { randomFrom } from '../agreement/model/random.ts'
import { attempt } from '../attempt.ts'
import { contextTag, tags } from '../der.ts'
import { parseSpki } from '../public-key.ts'
import {
  aaguidExtension,
  androidKey,
  apple,
  authority,
  certifyInfo,
  describeKey,
  fidoU2f,
  integer,
  newDevice,
  newKey,
  objectOf,
  octets,
  packed,
  packedSubject,
  publicArea,
  safetyNet,
  signsOnly,
  tpm,
  tpmExtensions,
  type Device,
  type Statement,
} from '../testing/attestations.ts'
import { writeCbor } from '../testing/cbor.ts'
import { isAuthority, writeDer } from '../testing/certificate.ts'
import { mutated, runs } from '../testing/mutations.ts'
import { signWith } from '../testing/passkey.ts'
import { readAttestationObject } from './attestation.ts'
import type { Cbor } from './cbor.ts'

const challenge = 'C'.repeat(43)
const device = newDevice(challenge)
const other = newDevice(challenge)
const u2fDevice = newDevice(challenge, { aaguid: new Uint8Array(16) })
const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

const read = (format: string, statement: Statement, about: Device = device) =>
  readAttestationObject(objectOf(format, about, statement), about.hash)

function refuses(format: string, statement: Statement, reason: RegExp, about: Device = device) {
  assert.throws(
    () => read(format, statement, about),
    (error) =>
      (isFailure(error, 'request.refused') && reason.test(error.context.reason)) ||
      (isFailure(error, 'bytes.malformed') && reason.test(error.context.expected)),
    String(reason),
  )
}

/** The statement with these members instead. */
function changed(statement: Statement, members: Readonly<Record<string, Cbor>>): Statement {
  return new Map([...statement, ...Object.entries(members)])
}

function without(statement: Statement, name: string): Statement {
  return new Map([...statement].filter(([member]) => member !== name))
}

describe('an attestation', () => {
  const statements = {
    packed: [packed(device), device],
    'fido-u2f': [fidoU2f(u2fDevice), u2fDevice],
    apple: [apple(device), device],
    'android-key': [androidKey(device), device],
    'android-safetynet': [safetyNet(device), device],
    tpm: [tpm(device), device],
  } as const

  it('of every format gives the key, and says whose signature it holds', () => {
    for (const [format, [statement, about]] of Object.entries(statements)) {
      const { signer, key, credential } = read(format, statement, about)
      assert.deepEqual(credential.id, about.credId)
      assert.equal(key.algorithm, -7)
      assert.equal(signer, format === 'android-key' ? 'credential' : 'attester', format)
    }
  })

  it('has all members of its format and no others', () => {
    for (const [format, [statement, about]] of Object.entries(statements)) {
      for (const name of statement.keys())
        assert.throws(() => read(format, without(statement, name), about), isRefusal)
      refuses(format, changed(statement, { more: 1 }), /not the members/, about)
    }
    refuses('none', new Map([['sig', new Uint8Array(1)]]), /not the members/)
  })

  it('is for this challenge and for this credential', () => {
    for (const [format, [statement, about]] of Object.entries(statements)) {
      const object = objectOf(format, about, statement)
      assert.throws(() => readAttestationObject(object, sha256(about.hash)), isRefusal, format)
      const another = newDevice(challenge, { aaguid: about.aaguid })
      assert.throws(() => read(format, statement, another), isRefusal, format)
    }
  })

  it('is of a known format, in an object of three members, and holds a credential', () => {
    refuses('compound', new Map(), /unknown/)
    refuses('toString', new Map(), /unknown/)
    const { authData, hash } = device
    const none = { fmt: 'none', attStmt: new Map(), authData }
    const reads = (members: Readonly<Record<string, Cbor>>) =>
      readAttestationObject(writeCbor(new Map(Object.entries(members))), hash)
    assert.equal(reads(none).signer, 'nobody')
    for (const wrong of [
      { ...none, more: 1 },
      { ...none, fmt: 1 },
      { ...none, attStmt: [] },
      { ...none, authData: 'text' },
      { ...none, authData: authData.subarray(0, 37).with(32, 0x05) },
    ])
      assert.throws(() => reads(wrong), isRefusal)
    assert.throws(() => readAttestationObject(writeCbor([]), hash), isRefusal)
  })

  it('has a chain of certificates, of which the first is of version 3 and whole', () => {
    const good = packed(device)
    const leaf = authority.issue({ key: device.attester, subject: packedSubject })
    assert.ok(read('packed', changed(good, { x5c: [leaf, authority.root] })))
    refuses('packed', changed(good, { x5c: [] }), /./)
    refuses('packed', changed(good, { x5c: 1 }), /no certificate/)
    refuses('packed', changed(good, { x5c: [leaf, 'text'] }), /chain/)
    refuses('packed', changed(good, { x5c: Array.from({ length: 9 }, () => leaf) }), /chain/)
    refuses('packed', changed(good, { x5c: [concat(leaf, new Uint8Array(1))] }), /DER/)
    const first = authority.issue({ key: device.attester, subject: packedSubject, version: 1 })
    refuses('packed', changed(good, { x5c: [first] }), /DER/)
    const second = authority.issue({ key: device.attester, subject: packedSubject, version: 2 })
    refuses('packed', changed(good, { x5c: [second] }), /version 3/)
  })
})

const isRefusal = (error: unknown) => isFailure(error)

describe('foreign bytes in the place of an attestation', () => {
  const formats = {
    packed: packed(device),
    'fido-u2f': fidoU2f(u2fDevice),
    apple: apple(device),
    'android-key': androidKey(device),
    'android-safetynet': safetyNet(device),
    tpm: tpm(device),
  }

  it('are read to a key, or refused', () => {
    for (const [format, statement] of Object.entries(formats)) {
      const about = format === 'fido-u2f' ? u2fDevice : device
      const object = objectOf(format, about, statement)
      runs(1_500, (seed) => {
        const bytes = mutated(randomFrom(seed), object)
        const made = attempt(() => readAttestationObject(bytes, about.hash))
        if (made !== undefined) assert.ok(parseSpki(made.key.spki))
      })
    }
  })

  it('are so in each member of a statement', () => {
    for (const [format, statement] of Object.entries(formats)) {
      const about = format === 'fido-u2f' ? u2fDevice : device
      for (const [name, member] of statement)
        runs(300, (seed) => {
          const [leaf] = Array.isArray(member) ? (member as readonly Cbor[]) : [member]
          if (!(leaf instanceof Uint8Array)) return
          const bytes = mutated(randomFrom(seed), leaf)
          const other = changed(statement, { [name]: name === 'x5c' ? [bytes] : bytes })
          const made = attempt(() => read(format, other, about))
          if (name !== 'x5c' && made !== undefined) assert.deepEqual(bytes, leaf, name)
        })
    }
  })

  it('are so in the texts that SafetyNet signs', () => {
    const good = Buffer.from(formats['android-safetynet'].get('response') as Uint8Array).toString()
    const [header = '', payload = '', signature] = good.split('.')
    runs(1_500, (seed) => {
      const random = randomFrom(seed)
      const inner = (text: string) => {
        const bytes = new Uint8Array(Buffer.from(text, 'base64url'))
        return toBase64url(random.chance(0.5) ? mutated(random, bytes) : bytes)
      }
      const response = toUtf8(`${inner(header)}.${inner(payload)}.${signature}`)
      const other = changed(formats['android-safetynet'], { response })
      const made = attempt(() => read('android-safetynet', other))
      if (made !== undefined) assert.equal(toUtf8(good).length, response.length)
    })
  })
})

describe('a packed attestation', () => {
  const good = packed(device)
  const certified = (terms: Partial<Parameters<typeof authority.issue>[0]>) => {
    const leaf = authority.issue({ key: device.attester, subject: packedSubject, ...terms })
    return changed(good, { x5c: [leaf] })
  }

  it('is signed by the key of its certificate, in the algorithm that it names', () => {
    refuses('packed', changed(good, { sig: signWith(device.key, device.signed) }), /signature/)
    refuses('packed', changed(good, { alg: -8 }), /algorithm/)
    refuses('packed', changed(good, { alg: -65535 }), /algorithm/)
    const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey
    refuses('packed', certified({ key: secp256k1 }), /algorithm/)
  })

  it('has a certificate of an authenticator, of its own model and of no authority', () => {
    for (const name of Object.keys(packedSubject)) {
      const subject = { ...packedSubject, [name]: '' }
      refuses('packed', certified({ subject }), /not of an authenticator/)
    }
    const elsewhere = { ...packedSubject, '2.5.4.11': 'Authenticator Attestations' }
    refuses('packed', certified({ subject: elsewhere }), /not of an authenticator/)
    const model = (aaguid: Uint8Array) => ({ [aaguidExtension]: octets(aaguid) })
    refuses('packed', certified({ extensions: model(other.aaguid) }), /another model/)
    const extensions = model(device.aaguid)
    refuses('packed', certified({ extensions, critical: [aaguidExtension] }), /another model/)
    refuses('packed', certified({ extensions: { '2.5.29.19': isAuthority } }), /authority/)
  })
})

describe('a FIDO U2F attestation', () => {
  it('is on P-256, of one certificate, for no model', () => {
    const good = fidoU2f(u2fDevice)
    const leaf = authority.issue({ key: u2fDevice.attester })
    const twice = changed(good, { x5c: [leaf, leaf] })
    refuses('fido-u2f', twice, /one certificate/, u2fDevice)
    refuses('fido-u2f', fidoU2f(device), /another model/)
    const rsa = changed(good, { x5c: [authority.issue({ key: rsaKey })] })
    refuses('fido-u2f', rsa, /P-256/, u2fDevice)
    const aboutRsa = newDevice(challenge, { key: rsaKey, aaguid: new Uint8Array(16) })
    refuses('fido-u2f', good, /P-256/, aboutRsa)
    const sig = signWith(u2fDevice.attester, u2fDevice.signed)
    refuses('fido-u2f', changed(good, { sig }), /signature/, u2fDevice)
  })
})

describe("Apple's attestation", () => {
  it('certifies the key of the credential with the nonce of this challenge', () => {
    refuses('apple', apple(device, sha256(device.hash)), /another challenge/)
    refuses('apple', apple({ ...device, key: newKey() }), /another key/)
    refuses('apple', new Map([['x5c', [authority.issue({ key: device.key })]]]), /no nonce/)
  })
})

describe("an Android key's attestation", () => {
  const described = (description: Uint8Array) => androidKey(device, description)
  const { hash } = device

  it('certifies the key of the credential for this challenge, and is signed with it', () => {
    refuses('android-key', androidKey({ ...device, key: newKey() }), /another key/)
    const sig = signWith(newKey(), device.signed)
    refuses('android-key', changed(androidKey(device), { sig }), /signature/)
    const elsewhere = describeKey(sha256(hash), new Map(), signsOnly)
    refuses('android-key', described(elsewhere), /another challenge/)
    const bare = authority.issue({ key: device.key })
    refuses('android-key', changed(androidKey(device), { x5c: [bare] }), /does not describe/)
  })

  it('is of a key that was made on the device, for one application and for signing alone', () => {
    const lists = (entries: readonly (readonly [number, Uint8Array])[]) =>
      describeKey(hash, new Map(), new Map([...signsOnly, ...entries]))
    assert.ok(read('android-key', described(describeKey(hash, signsOnly, new Map()))))
    const all = [[600, writeDer(0x05)]] as const
    refuses('android-key', described(lists(all)), /all applications/)
    const inSoftware = describeKey(hash, new Map(all), signsOnly)
    refuses('android-key', described(inSoftware), /all applications/)
    refuses('android-key', described(lists([[702, integer(2)]])), /not made on the device/)
    refuses('android-key', described(lists([[1, writeDer(tags.set, integer(3))]])), /signing alone/)
    const both = writeDer(tags.set, integer(0), integer(2))
    refuses('android-key', described(lists([[1, both]])), /signing alone/)
    refuses('android-key', described(describeKey(hash, new Map(), new Map())), /not made/)
  })
})

describe('a SafetyNet attestation', () => {
  it('is of the service, for this challenge, from a sound device', () => {
    refuses('android-safetynet', safetyNet(device, { host: 'evil.test' }), /another host/)
    const nonce = Buffer.from(sha256(device.hash)).toString('base64')
    refuses('android-safetynet', safetyNet(device, { payload: { nonce } }), /another challenge/)
    const sound = safetyNet(device, { payload: { ctsProfileMatch: 'true' } })
    refuses('android-safetynet', sound, /sound device/)
  })

  it('is signed by its certificate in RS256', () => {
    for (const header of [{ alg: 'none' }, { alg: 'HS256' }, { x5c: 'text' }])
      refuses('android-safetynet', safetyNet(device, { header }), /no certificate/)
    refuses('android-safetynet', safetyNet(device, { header: { x5c: [] } }), /not well-formed/)
    const good = Buffer.from((safetyNet(device).get('response') as Uint8Array) ?? []).toString()
    const says = (text: string) => changed(safetyNet(device), { response: toUtf8(text) })
    refuses('android-safetynet', says(`${good}.x`), /no signed text/)
    refuses('android-safetynet', says(good.split('.').slice(0, 2).join('.')), /no signed text/)
    const [header, payload] = good.split('.')
    const forged = `${header}.${payload}.${toBase64url(new Uint8Array(256))}`
    refuses('android-safetynet', says(forged), /signature/)
  })
})

describe("a TPM's attestation", () => {
  it('certifies an RSA key too', () => {
    const about = newDevice(challenge, { key: rsaKey })
    assert.equal(read('tpm', tpm(about), about).key.algorithm, -257)
  })

  it('speaks of the key of the credential and of this challenge', () => {
    refuses('tpm', tpm(device, { area: publicArea(other.key) }), /another key/)
    const area = publicArea(device.key)
    const extra = sha256(device.signed)
    refuses('tpm', tpm(device, { info: certifyInfo(sha256(extra), area) }), /another challenge/)
    const ofOther = certifyInfo(extra, publicArea(other.key))
    refuses('tpm', tpm(device, { info: ofOther }), /another key/)
  })

  it('is exact in every part', () => {
    const area = publicArea(device.key)
    const info = certifyInfo(sha256(device.signed), area)
    const swapped = (bytes: Uint8Array, at: number, hex: string) => {
      const out = bytes.slice()
      out.set(fromHex(hex), at)
      return out
    }
    const more = (bytes: Uint8Array) => concat(bytes, new Uint8Array(1))
    refuses('tpm', tpm(device, { area: more(area) }), /more than it says/)
    refuses('tpm', tpm(device, { area: area.subarray(0, -1) }), /less than it says/)
    refuses('tpm', tpm(device, { area: swapped(area, 0, '0008') }), /no known key/)
    refuses('tpm', tpm(device, { area: swapped(area, 2, '0004') }), /another digest/)
    refuses('tpm', tpm(device, { area: swapped(area, 10, '0006') }), /not for signing/)
    refuses('tpm', tpm(device, { area: swapped(area, 12, '0016') }), /another scheme/)
    refuses('tpm', tpm(device, { area: swapped(area, 14, '0004') }), /another curve/)
    refuses('tpm', tpm(device, { info: more(info) }), /more than it says/)
    refuses('tpm', tpm(device, { info: info.subarray(0, -1) }), /less than it says/)
    refuses('tpm', tpm(device, { info: swapped(info, 0, 'ff544346') }), /certifies no key/)
    refuses('tpm', tpm(device, { info: swapped(info, 4, '8018') }), /certifies no key/)
  })

  it('is signed by a key that a TPM keeps for that alone', () => {
    refuses('tpm', changed(tpm(device), { ver: '1.2' }), /another version/)
    const sig = signWith(device.attester, device.signed)
    refuses('tpm', changed(tpm(device), { sig }), /signature/)
    const by = (terms: object) =>
      tpm(device, {
        leaf: authority.issue({ key: device.attester, extensions: tpmExtensions, ...terms }),
      })
    refuses('tpm', by({ subject: { '2.5.4.3': 'Example' } }), /names a subject/)
    for (const [oid, reason] of [
      ['2.5.29.17', /not of a TPM/],
      ['2.5.29.37', /not for attestations/],
    ] as const) {
      const rest = Object.entries(tpmExtensions).filter(([name]) => name !== oid)
      refuses('tpm', by({ extensions: Object.fromEntries(rest) }), reason)
      const bare = { ...tpmExtensions, [oid]: writeDer(tags.sequence) }
      refuses('tpm', by({ extensions: bare }), reason)
    }
    const nameless = writeDer(tags.sequence, writeDer(contextTag(4), writeDer(tags.sequence)))
    const extensions = { ...tpmExtensions, '2.5.29.17': nameless }
    refuses('tpm', by({ extensions }), /not of a TPM/)
    const model = { ...tpmExtensions, [aaguidExtension]: octets(other.aaguid) }
    refuses('tpm', by({ extensions: model }), /another model/)
  })
})
