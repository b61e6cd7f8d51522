import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePort, isFree } from './free-port.ts'

test('a free port is none that an outgoing connection may take meanwhile', async () => {
  for (let i = 0; i < 50; i++) {
    const port = await freePort()
    assert.ok(port >= 10_000 && port < 30_000, `${port}`)
  }
})

test('the wanted port is given while it is free, and another while it is not', async () => {
  const wanted = await freePort()
  assert.equal(await freePort(wanted), wanted)
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve))
  assert.equal(await isFree(wanted), false)
  assert.notEqual(await freePort(wanted), wanted)
  await new Promise((resolve) => server.close(resolve))
})
