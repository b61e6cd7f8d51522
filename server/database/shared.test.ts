import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sharing } from './shared.ts'

describe('a shared run', () => {
  it('serves all who came before it began, and nobody who came after', async () => {
    const share = sharing<number>()
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const run = async () => {
      const number = (runs += 1)
      await gate.promise
      return number
    }
    const first = [share('a', run), share('a', run)]
    while (runs < 1) await undefined
    const second = [share('a', run), share('a', run)]
    gate.resolve()
    assert.deepEqual(await Promise.all([...first, ...second]), [1, 1, 2, 2])
    assert.equal(await share('a', run), 3)
  })

  it('that fails is tried again for whoever came meanwhile', async () => {
    const share = sharing<string>()
    const fails = share('a', () => Promise.reject(new Error('no connection')))
    await undefined
    await undefined
    const works = share('a', async () => 'well')
    await assert.rejects(fails, /no connection/)
    assert.equal(await works, 'well')
  })
})
