import { createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import { concat, concatAll, fromBase64url, fromHex, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { contextTag, tags } from '../der.ts'
import type { Cbor } from '../webauthn/cbor.ts'
import { newAuthority, writeDer, writeName, writeOid } from './certificate.ts'
import { attestationObject, passkeyClientData, registrationData, signWith } from './passkey.ts'

/** A registration by an authenticator that certifies its keys, before its statement is written. */
export type Device = {
  readonly clientData: Uint8Array
  readonly hash: Uint8Array
  readonly authData: Uint8Array
  /** What most formats sign. */
  readonly signed: Uint8Array
  readonly credId: Uint8Array
  readonly aaguid: Uint8Array
  /** The new credential's, and the one that certifies it. */
  readonly key: KeyObject
  readonly attester: KeyObject
}

export type Statement = ReadonlyMap<string, Cbor>
export const authority = newAuthority()

export function newDevice(
  challenge: string,
  change: {
    readonly key?: KeyObject
    readonly attester?: KeyObject
    readonly aaguid?: Uint8Array
  } = {},
): Device {
  const { key = newKey(), attester = newKey(), aaguid = new Uint8Array(randomBytes(16)) } = change
  const relyingParty = 'example.test'
  const credId = new Uint8Array(randomBytes(32))
  const clientData = passkeyClientData('webauthn.create', challenge, `https://${relyingParty}`)
  const about = { relyingParty, userVerified: true, credId, aaguid, key: createPublicKey(key) }
  const authData = registrationData(about)
  const hash = sha256(clientData)
  const signed = concat(authData, hash)
  return { clientData, hash, authData, signed, credId, aaguid, key, attester }
}

export function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

export function objectOf(format: string, { authData }: Device, statement: Statement): Uint8Array {
  return attestationObject(format, statement, authData)
}

export const packedSubject = {
  '2.5.4.6': 'SE',
  '2.5.4.10': 'Example',
  '2.5.4.11': 'Authenticator Attestation',
  '2.5.4.3': 'Example authenticator',
}
export const aaguidExtension = '1.3.6.1.4.1.45724.1.1.4'
export const octets = (bytes: Uint8Array) => writeDer(tags.octets, bytes)

export function packed({ attester, aaguid, signed }: Device): Statement {
  const extensions = { [aaguidExtension]: octets(aaguid) }
  const leaf = authority.issue({ key: attester, subject: packedSubject, extensions })
  return new Map<string, Cbor>([
    ['alg', -7],
    ['sig', signWith(attester, signed)],
    ['x5c', [leaf]],
  ])
}

export function fidoU2f({ authData, attester, hash, credId, key }: Device): Statement {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  const point = [fromHex('04'), fromBase64url(x), fromBase64url(y)]
  const message = concatAll([fromHex('00'), authData.subarray(0, 32), hash, credId, ...point])
  const leaf = authority.issue({ key: attester, subject: { '2.5.4.3': 'Example' } })
  return new Map<string, Cbor>([
    ['sig', signWith(attester, message)],
    ['x5c', [leaf]],
  ])
}

export const appleNonce = '1.2.840.113635.100.8.2'
export function apple({ key, signed }: Device, nonce = sha256(signed)): Statement {
  const value = writeDer(tags.sequence, writeDer(contextTag(1), octets(nonce)))
  const subject = { '2.5.4.3': 'Example' }
  return new Map([
    ['x5c', [authority.issue({ key, subject, extensions: { [appleNonce]: value } })]],
  ])
}

export const keyDescription = '1.3.6.1.4.1.11129.2.1.17'
const small = (tag: number, value: number) => writeDer(tag, new Uint8Array([value]))
export const integer = (value: number) => small(tags.integer, value)

/** Entries of an AuthorizationList, by context tag. */
export const signsOnly = new Map([
  [1, writeDer(tags.set, integer(2))],
  [702, integer(0)],
])

export function describeKey(
  challenge: Uint8Array,
  software: ReadonlyMap<number, Uint8Array>,
  hardware: ReadonlyMap<number, Uint8Array>,
): Uint8Array {
  const list = (entries: ReadonlyMap<number, Uint8Array>) =>
    writeDer(tags.sequence, ...[...entries].map(([tag, value]) => writeDer(contextTag(tag), value)))
  return writeDer(
    tags.sequence,
    ...[integer(3), small(tags.enumerated, 1), integer(4), small(tags.enumerated, 1)],
    ...[octets(challenge), octets(new Uint8Array()), list(software), list(hardware)],
  )
}

export function androidKey(
  { key, hash, signed }: Device,
  description = describeKey(hash, new Map(), signsOnly),
): Statement {
  const extensions = { [keyDescription]: description }
  const leaf = authority.issue({ key, subject: { '2.5.4.3': 'Android' }, extensions })
  return new Map<string, Cbor>([
    ['alg', -7],
    ['sig', signWith(key, signed)],
    ['x5c', [leaf, authority.root]],
  ])
}

const dnsName = (host: string) => writeDer(tags.sequence, writeDer(0x82, toUtf8(host)))

export function safetyNet(
  { signed }: Device,
  change: { readonly payload?: object; readonly host?: string; readonly header?: object } = {},
): Statement {
  const { host = 'attest.android.com' } = change
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const extensions = { '2.5.29.17': dnsName(host) }
  const leaf = authority.issue({ key: privateKey, subject: { '2.5.4.3': host }, extensions })
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
  const nonce = base64(sha256(signed))
  const payload = { timestampMs: Date.now(), nonce, ctsProfileMatch: true, ...change.payload }
  const parts = [{ alg: 'RS256', x5c: [base64(leaf)], ...change.header }, payload]
  const text = parts.map((part) => toBase64url(toUtf8(JSON.stringify(part)))).join('.')
  const response = toUtf8(`${text}.${toBase64url(signWith(privateKey, toUtf8(text)))}`)
  return new Map<string, Cbor>([
    ['ver', '1'],
    ['response', response],
  ])
}

export function sized(bytes: Uint8Array): Uint8Array {
  return concat(new Uint8Array([bytes.length >> 8, bytes.length & 255]), bytes)
}

/** TPMT_PUBLIC, TPM 2.0 Part 2, section 12.2.4. */
export function publicArea(key: KeyObject): Uint8Array {
  const { x = '', y = '', n = '' } = key.export({ format: 'jwk' })
  const part = (text: string) => sized(fromBase64url(text))
  return key.asymmetricKeyType === 'rsa'
    ? concat(fromHex('0001000b000604720000'), fromHex('00100010080000000000'), part(n))
    : concat(fromHex('0023000b000604720000'), fromHex('0010001000030010'), part(x), part(y))
}

/** TPMS_ATTEST, section 10.12.8. */
export function certifyInfo(extraData: Uint8Array, area: Uint8Array): Uint8Array {
  const name = concat(fromHex('000b'), sha256(area))
  return concatAll([
    ...[fromHex('ff5443478017'), sized(fromHex('00')), sized(extraData), new Uint8Array(25)],
    ...[sized(name), sized(name)],
  ])
}

export const tpmExtensions = {
  '2.5.29.17': writeDer(
    tags.sequence,
    writeDer(
      contextTag(4),
      writeName({
        '2.23.133.2.1': 'id:FFFFF1D0',
        '2.23.133.2.2': 'Example',
        '2.23.133.2.3': 'id:13',
      }),
    ),
  ),
  '2.5.29.37': writeDer(tags.sequence, writeOid('2.23.133.8.3')),
}

export function tpm(
  { key, attester, signed }: Device,
  change: {
    readonly area?: Uint8Array
    readonly info?: Uint8Array
    readonly leaf?: Uint8Array
  } = {},
): Statement {
  const { area = publicArea(key) } = change
  const { info = certifyInfo(sha256(signed), area) } = change
  const { leaf = authority.issue({ key: attester, extensions: tpmExtensions }) } = change
  return new Map<string, Cbor>([
    ...([
      ['ver', '2.0'],
      ['alg', -7],
      ['x5c', [leaf]],
    ] as const),
    ...([
      ['sig', signWith(attester, info)],
      ['certInfo', info],
      ['pubArea', area],
    ] as const),
  ])
}
