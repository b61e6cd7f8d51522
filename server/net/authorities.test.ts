import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { makeAuthority } from '@quorate/scripts/certificates'
import { readAuthorities } from './authorities.ts'

describe('a file of certificate authorities', () => {
  let folder: string
  let pems: readonly string[]
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-authorities-'))
    const made = [makeAuthority('one', new Date()), makeAuthority('two', new Date())]
    pems = (await Promise.all(made)).map(({ certificatePem }) => certificatePem.trim())
  })
  after(() => rmSync(folder, { recursive: true }))
  const read = (text: string) => {
    const name = join(folder, 'authorities.pem')
    writeFileSync(name, text)
    return readAuthorities(name)
  }

  it('has each certificate by itself, whatever stands between them; no file has none', () => {
    const [one = '', two = ''] = pems
    assert.deepEqual(read(`# of the house\n${one}\n\nsubject=two\n${two}\n`), [one, two])
    assert.deepEqual(readAuthorities(''), [])
  })

  it('is refused when it is not there, has none, too many, or one that cannot be read', () => {
    const [one = ''] = pems
    assert.throws(() => readAuthorities(join(folder, 'none')), /ENOENT/)
    assert.throws(() => read('hello'), /no certificate in .*authorities\.pem/)
    assert.throws(() => read(`${one}\n`.repeat(101)), /more than 100/)
    const broken = one.replace(/\n.{20}/, `\n${'A'.repeat(20)}`)
    assert.throws(() => read(`${one}\n${broken}`), /Certificate 2 of .* cannot be read/)
  })
})
