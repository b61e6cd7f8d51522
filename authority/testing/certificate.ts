import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { concatAll, fromHex, toUtf8 } from '@quorate/core/bytes'
import { tags } from '../der.ts'

/** X.690 as a certificate authority writes it. */
export function writeDer(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const whole = concatAll(contents)
  return concatAll([tagBytes(tag), lengthBytes(whole.length), whole])
}

/** `contextTag` of a number above 30 stands for two or three bytes. */
function tagBytes(tag: number): Uint8Array {
  if (tag < 256) return new Uint8Array([tag])
  const number = Math.floor(tag / 256)
  const groups = number < 128 ? [number] : [128 + (number >> 7), number % 128]
  return new Uint8Array([tag % 256, ...groups])
}

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return new Uint8Array([length])
  const bytes = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length % 256]
  return new Uint8Array(bytes)
}

export function writeOid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second, ...rest].flatMap((number) => {
    const groups = [number % 128]
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift(128 + (left % 128))
    return groups
  })
  return writeDer(tags.oid, new Uint8Array(bytes))
}

/** A name of one attribute after the other. */
export function writeName(attributes: Readonly<Record<string, string>>): Uint8Array {
  const sets = Object.entries(attributes).map(([type, value]) => {
    const text = type === '2.5.4.6' ? tags.printable : tags.utf8
    const attribute = writeDer(tags.sequence, writeOid(type), writeDer(text, toUtf8(value)))
    return writeDer(tags.set, attribute)
  })
  return writeDer(tags.sequence, ...sets)
}

export type CertificateTerms = {
  readonly key: KeyObject
  readonly subject?: Readonly<Record<string, string>>
  /** The DER of each extension's value, by its identifier. */
  readonly extensions?: Readonly<Record<string, Uint8Array>>
  readonly critical?: readonly string[]
  readonly version?: number
  /** Every extension stands there this many times. */
  readonly repeated?: number
}

/** Issues certificates that anybody could issue: nothing in a chain is trusted. */
export type Authority = {
  readonly root: Uint8Array
  readonly issue: (terms: CertificateTerms) => Uint8Array
}

const basicConstraints = '2.5.29.19'
export const isAuthority = writeDer(tags.sequence, writeDer(tags.boolean, fromHex('ff')))

export function newAuthority(): Authority {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = { '2.5.4.3': 'Example root' }
  const issue = (terms: CertificateTerms) => certificate({ ...terms, issuer, signer: privateKey })
  const extensions = { [basicConstraints]: isAuthority }
  return { root: issue({ key: privateKey, subject: issuer, extensions }), issue }
}

type Issued = CertificateTerms & {
  readonly issuer: Readonly<Record<string, string>>
  readonly signer: KeyObject
}

/** RFC 5280, section 4.1, signed with ECDSA over SHA-256. */
function certificate(terms: Issued): Uint8Array {
  const {
    key,
    subject = {},
    extensions = {},
    critical = [],
    version = 3,
    repeated = 1,
    issuer,
    signer,
  } = terms
  const algorithm = writeDer(tags.sequence, writeOid('1.2.840.10045.4.3.2'))
  const integer = (value: number) => writeDer(tags.integer, new Uint8Array([value]))
  const time = (text: string) => writeDer(0x17, toUtf8(text))
  const entries = Array.from({ length: repeated }, () => Object.entries(extensions)).flat()
  const written = entries.map(([oid, value]) => {
    const isCritical = critical.includes(oid) ? [writeDer(tags.boolean, fromHex('ff'))] : []
    return writeDer(tags.sequence, writeOid(oid), ...isCritical, writeDer(tags.octets, value))
  })
  const body = writeDer(
    tags.sequence,
    ...(version === 1 ? [] : [writeDer(0xa0, integer(version - 1))]),
    ...[integer(1), algorithm, writeName(issuer)],
    writeDer(tags.sequence, time('200101000000Z'), time('491231235959Z')),
    writeName(subject),
    new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    ...(written.length === 0 ? [] : [writeDer(0xa3, writeDer(tags.sequence, ...written))]),
  )
  const signature = new Uint8Array(sign('sha256', body, signer))
  return writeDer(tags.sequence, body, algorithm, writeDer(tags.bits, new Uint8Array(1), signature))
}
