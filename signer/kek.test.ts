import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { keyEncryption, keyEncryptionFromCommand, keyEncryptionFromFile } from './kek.ts'

const [secret, place] = [toUtf8('a share'), toUtf8('its place')]

describe('key encryption', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-kek-'))
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('gives back what it wrapped, for the same place', () => {
    const kek = keyEncryption(randomBytes(32))
    const sealed = kek.wrap(secret, place)
    assert.deepEqual(kek.unwrap(sealed, place), secret)
    assert.notDeepEqual(kek.wrap(secret, place), sealed)
  })

  it('gives nothing for another place, with another key, or when a bit has changed', () => {
    const kek = keyEncryption(randomBytes(32))
    const sealed = kek.wrap(secret, place)
    assert.equal(kek.unwrap(sealed, toUtf8('another place')), undefined)
    assert.equal(keyEncryption(randomBytes(32)).unwrap(sealed, place), undefined)
    for (let at = 0; at < sealed.length; at++)
      assert.equal(kek.unwrap(sealed.with(at, 1 ^ (sealed[at] ?? 0)), place), undefined)
    for (const short of [0, 12, 27])
      assert.equal(kek.unwrap(sealed.slice(0, short), place), undefined)
  })

  it('takes its key from a file of its owner, or from a command, and it is 32 bytes', () => {
    const file = join(dir, 'key')
    writeFileSync(file, randomBytes(32), { mode: 0o600 })
    const sealed = keyEncryptionFromFile(file).wrap(secret, place)
    assert.deepEqual(keyEncryptionFromCommand(`cat ${file}`).unwrap(sealed, place), secret)
    const short = join(dir, 'short')
    writeFileSync(short, randomBytes(31), { mode: 0o600 })
    assert.throws(() => keyEncryptionFromFile(short), /no 32 bytes/)
    assert.throws(() => keyEncryptionFromCommand('true'), /no 32 bytes/)
    const leaky = 'echo token-1 >&2; echo token-2; exit 3 # token-3'
    assert.throws(() => keyEncryptionFromCommand(leaky), {
      message: 'Cannot start: SIGNER_KEK_COMMAND ended with 3.',
    })
    for (const mode of [0o640, 0o604, 0o620]) {
      const open = join(dir, `open-${mode}`)
      writeFileSync(open, randomBytes(32))
      chmodSync(open, mode)
      assert.throws(() => keyEncryptionFromFile(open), /others than its owner/)
    }
  })
})
