import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { readDer } from '../der.ts'
import { newKey, octets } from '../testing/attestations.ts'
import { newAuthority, writeOid } from '../testing/certificate.ts'
import { readCertificate, readOid } from './certificate.ts'

const { issue } = newAuthority()
const subject = { '2.5.4.6': 'SE', '2.5.4.3': 'Example' }
const oid = '1.3.6.1.4.1.45724.1.1.4'
const extensions = { [oid]: octets(new Uint8Array(16)), '2.5.29.19': fromHex('3000') }
const terms = { key: newKey(), subject, extensions, critical: [oid] }

describe('a certificate', () => {
  it('gives its subject, its key and its extensions', () => {
    const read = readCertificate(issue(terms))
    assert.deepEqual(
      read.subject,
      Object.entries(subject).map(([type, value]) => ({ type, value })),
    )
    assert.deepEqual(read.extensions.get(oid), { critical: true, value: extensions[oid] })
    assert.equal(read.extensions.get('2.5.29.19')?.critical, false)
    assert.equal(read.extensions.size, 2)
  })

  it('has no extension twice, and no boolean but true', () => {
    assert.throws(() => readCertificate(issue({ ...terms, repeated: 2 })), isFailure)
    const hex = toHex(issue(terms))
    assert.ok(hex.includes('0101ff'))
    assert.throws(() => readCertificate(fromHex(hex.replace('0101ff', '010100'))), isFailure)
  })
})

describe('an object identifier', () => {
  it('is read to its numbers', () => {
    for (const dotted of ['0.9.2342', '1.2.840.113635.100.8.2', '2.5.29.17', '2.23.133.8.3', oid])
      assert.equal(readOid(readDer(writeOid(dotted))), dotted)
  })

  it('is refused when it is empty, unfinished, padded or too large', () => {
    for (const hex of ['0600', '060181', '06028001', '06032a8001', '06062a8180808001'])
      assert.throws(() => readOid(readDer(fromHex(hex))), isFailure, hex)
  })
})
