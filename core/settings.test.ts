import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filled, port, readSettings } from './settings.ts'

const settings = {
  port: { name: 'X_PORT', about: 'where to listen', read: port },
  name: { name: 'X_NAME', about: 'what to call it', read: filled, fallback: 'x' },
}

describe('settings', () => {
  it('are read with their fallbacks', () => {
    assert.deepEqual(readSettings({ X_PORT: '80' }, settings), { port: 80, name: 'x' })
  })

  it('report every mistake at once, also a name that nobody knows', () => {
    assert.throws(() => readSettings({ X_NAME: ' ', X_TYPO: '1' }, settings, 'X_'), {
      message:
        'Cannot start.\n  X_PORT is missing: where to listen\n  X_NAME is not valid: what to call it\n  X_TYPO is not a setting of this process',
    })
  })
})
