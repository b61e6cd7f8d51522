import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { isFailure } from '@quorate/core/failure'
import { answerTooLong, httpNode, type NodeOptions } from './nodes.ts'

const secretPath = '/v3/a-provider-key'

describe('a call to a node', () => {
  it('carries method and parameters and returns the result', async () => {
    const result = await call((request, response) => {
      let body = ''
      request.on('data', (part) => (body += part))
      request.on('end', () => {
        const { id, method, params, jsonrpc } = JSON.parse(body)
        response.end(JSON.stringify({ jsonrpc, id, result: [method, params] }))
      })
    })
    assert.deepEqual(result, ['eth_test', [1]])
  })

  it('is refused with the reason the node gives, whatever the status', async () => {
    const error = { code: -32000, message: 'nonce too low' }
    await assert.rejects(
      call((_, response) => {
        response.statusCode = 400
        response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, error }))
      }),
      (thrown) => {
        assert.ok(isFailure(thrown, 'chain.refused'))
        assert.deepEqual(thrown.context, { network: 'Test', reason: 'nonce too low', code: -32000 })
        return true
      },
    )
  })

  const unreadable: Readonly<Record<string, RequestListener>> = {
    'the answer is no JSON': (_, response) => response.end('<html>busy</html>'),
    'the answer is no object': (_, response) => response.end('null'),
    'the answer is to another call': (_, response) =>
      response.end(JSON.stringify({ jsonrpc: '2.0', id: 99, result: '0x1' })),
    'the answer never ends': (_, response) => response.write('{'),
    'the node breaks off': (request) => request.socket.destroy(),
  }
  for (const [name, listener] of Object.entries(unreadable))
    it(`fails without naming the address when ${name}`, async () => {
      await assert.rejects(call(listener, { timeoutMs: 300, answerBytesMax: 1000 }), (thrown) => {
        assert.ok(isFailure(thrown, 'chain.unavailable'))
        assert.ok(!inspect(thrown, { depth: 9 }).includes('a-provider-key'))
        return true
      })
    })

  for (const status of [301, 302, 303, 307, 308])
    it(`goes nowhere else with status ${status}, though there is an answer`, async () => {
      const asked: (string | undefined)[] = []
      const elsewhere = '/of-another-name'
      const pointing: RequestListener = (request, response) => {
        asked.push(request.url)
        if (request.url === elsewhere)
          response.end(JSON.stringify({ jsonrpc: '2.0', id: 1, result: '0x1' }))
        else response.writeHead(status, { location: elsewhere }).end()
      }
      await assert.rejects(call(pointing), (thrown) => {
        assert.ok(isFailure(thrown, 'chain.unavailable'))
        assert.ok(!inspect(thrown, { depth: 9 }).includes('a-provider-key'))
        return true
      })
      assert.deepEqual(asked, [secretPath])
    })

  it('is refused in words that can be written down, whoever has made them up', async () => {
    const message = 'execution reverted: a\0b\u0008\n\u202Ec\ud800'
    const answer = { jsonrpc: '2.0', id: 1, error: { code: 3, message } }
    await assert.rejects(
      call((_, response) => response.end(JSON.stringify(answer))),
      (thrown) =>
        isFailure(thrown, 'chain.refused') &&
        thrown.context.reason === 'execution reverted: a b c ',
    )
  })

  it('takes an answer that is too long as a refusal: it would be as long again', async () => {
    const long = JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(2000) })
    await assert.rejects(
      call((_, response) => response.end(long), { answerBytesMax: 1000 }),
      (thrown) => isFailure(thrown, 'chain.refused') && /too long/.test(thrown.context.reason),
    )
  })

  it('is refused more of a contract’s answer than anybody reads, and of nothing else', async () => {
    const long = JSON.stringify({ jsonrpc: '2.0', id: 1, result: 'x'.repeat(200_000) })
    const asked = (method: string) => call((_, response) => response.end(long), {}, method)
    await assert.rejects(
      asked('eth_call'),
      (thrown) => isFailure(thrown, 'chain.refused') && thrown.context.reason === answerTooLong,
    )
    assert.equal(String(await asked('eth_getLogs')).length, 200_000)
  })

  it('is made once: nothing is tried again in secret', async () => {
    let calls = 0
    await assert.rejects(
      call((request) => {
        calls++
        request.socket.destroy()
      }),
    )
    assert.equal(calls, 1)
  })
})

async function call(
  listener: RequestListener,
  limits: Partial<NodeOptions> = {},
  method = 'eth_test',
): Promise<unknown> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const url = `http://127.0.0.1:${port}${secretPath}`
    return await httpNode({ url, network: 'Test', ...limits })(method, [1])
  } finally {
    server.closeAllConnections()
    server.close()
  }
}
