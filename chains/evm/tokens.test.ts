import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { pad, stringToHex } from 'viem'
import type { Rpc } from '../adapter.ts'
import { httpNode } from '../nodes.ts'
import { readToken, readTokenWords, tokenHolding } from './tokens.ts'

const owner = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const to = `0x${'77'.repeat(20)}`
const dataDir = mkdtempSync(join(tmpdir(), 'tokens-'))
let node: RunningEthereum
let rpc: Rpc
before(async () => {
  node = await startEthereum({ dataDir })
  rpc = httpNode({ url: node.rpcUrl, network: 'EthereumSepolia' })
})
after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

const isRefused = (error: unknown) => isFailure(error, 'chain.refused')

describe('what a token says of itself', () => {
  let coin: Deployed
  let pieces: Deployed
  let sets: Deployed
  before(async () => {
    coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    pieces = await deploy(rpc, 'Pieces')
    sets = await deploy(rpc, 'Sets')
  })

  it('is its symbol and decimals, of the first tokens too', async () => {
    const read = (contract: string) => readToken(rpc, { kind: 'Erc20', contract })
    assert.deepEqual(await read(coin.address), { symbol: 'GLD', decimals: 6 })
    const old = await deploy(rpc, 'OldCoin')
    assert.deepEqual(await read(old.address), { symbol: 'OLD', decimals: 9 })
    assert.deepEqual(await readToken(rpc, { kind: 'Erc721', contract: pieces.address }), {
      symbol: 'PCS',
    })
    assert.deepEqual(await readToken(rpc, { kind: 'Erc1155', contract: sets.address }), {})
  })

  it('is nothing where there is no contract, or none of that kind', async () => {
    const boaster = await deploy(rpc, 'Boaster')
    for (const [kind, contract] of [
      ['Erc20', to],
      ['Erc20', pieces.address],
      ['Erc20', sets.address],
      ['Erc20', boaster.address],
      ['Erc721', coin.address],
      ['Erc721', sets.address],
      ['Erc721', to],
      ['Erc1155', pieces.address],
      ['Erc1155', coin.address],
    ] as const)
      assert.equal(await readToken(rpc, { kind, contract }), undefined, `${kind} ${contract}`)
  })

  it('is no symbol that is too long, hides something, or is no text', async () => {
    const symbols = ['USDC\u202e', 'x'.repeat(33), 'x'.repeat(5_000), 'a\u0000b', 'a\nb', '']
    for (const symbol of symbols) {
      const { address: contract } = await deploy(rpc, 'Coin', ['', symbol, 2])
      assert.deepEqual(await readToken(rpc, { kind: 'Erc20', contract }), { decimals: 2 })
    }
    const { address: contract } = await deploy(rpc, 'Coin', ['', 'USD₮0', 6])
    assert.equal((await readToken(rpc, { kind: 'Erc20', contract }))?.symbol, 'USD₮0')
  })

  it('is not the answer of a node to something else', async () => {
    const word = (value: bigint) => value.toString(16).padStart(64, '0')
    const answers = {
      'a text that is not where it says': word(64n) + word(3n) + stringToHex('ABC').slice(2),
      'a text longer than what follows': word(32n) + word(33n) + word(0n),
      'a text longer than can be': word(32n) + 'ff'.repeat(32) + word(0n),
      'no word': '00',
      nothing: '',
      'bytes that are no UTF-8': word(32n) + word(1n) + pad('0xff', { dir: 'right' }).slice(2),
    }
    for (const [what, answer] of Object.entries(answers)) {
      const said: Rpc = async (method, params) => {
        if (method === 'eth_getCode') return '0x00'
        const [{ data }] = params as [{ data: string }]
        return data === '0x313ce567' ? `0x${word(6n)}` : `0x${answer}`
      }
      const read = await readToken(said, { kind: 'Erc20', contract: to })
      assert.deepEqual(read, { decimals: 6 }, what)
    }
    const saying = (decimals: unknown): Rpc => {
      return async (method) => (method === 'eth_getCode' ? '0x00' : decimals)
    }
    for (const decimals of [`0x${word(37n)}`, `0x${word(2n ** 255n)}`, '0x06', '0x'])
      assert.equal(await readToken(saying(decimals), { kind: 'Erc20', contract: to }), undefined)
    await assert.rejects(readToken(saying(undefined), { kind: 'Erc20', contract: to }), isRefused)
  })

  it('is nothing where it fails, in whatever way it does', async () => {
    const contract = `0x${'99'.repeat(20)}`
    const ways = {
      'it reverts': '60006000fd',
      'it runs out of gas': '5b600056',
      'it has an invalid instruction': 'fe',
      'it has an unknown instruction': '0c',
      'its stack is empty': '50',
      'its stack is full': '5b6001600056',
      'it jumps to nowhere': '600256',
      'it reads what nobody has returned': '6001600060003e',
      'it reads where no memory can be': `7f${'ff'.repeat(32)}51`,
      'it makes what is too large': '62ffffff60006000f0',
      'it answers more than anybody reads': '620616a85ff3',
      'it refuses with more than anybody reads': '620616a85ffd',
    }
    for (const [what, code] of Object.entries(ways)) {
      await rpc('anvil_setCode', [contract, `0x${code}`])
      assert.equal(await readToken(rpc, { kind: 'Erc20', contract }), undefined, what)
      const move = { kind: 'Erc20', contract, to, amount: 1n } as const
      assert.equal(await tokenHolding(rpc, owner, move), 0n, what)
    }
  })

  it('is asked by nobody, whichever node is asked, and a contract that goes by who asks says one thing', async () => {
    const contract = `0x${'99'.repeat(20)}`
    // Whoever calls it is what it says.
    await rpc('anvil_setCode', [contract, '0x335f5260205ff3'])
    const asked = { kind: 'Erc20', contract } as const
    assert.deepEqual(await readToken(rpc, asked), { decimals: 0 })
    const otherwise: Rpc = (method, [call, ...more]) =>
      rpc(method, [method === 'eth_call' ? { from: owner, ...Object(call) } : call, ...more])
    assert.deepEqual(await readToken(otherwise, asked), await readToken(rpc, asked))
  })

  it('is unknown, and not nothing, while a fake node refuses for a reason of its own', async () => {
    const move = { kind: 'Erc20', contract: coin.address, to, amount: 1n } as const
    for (const [code, reason] of [
      [-32_005, 'limit exceeded'],
      [-32_000, 'header not found'],
      [-32_603, 'Internal error'],
    ] as const) {
      const refusing: Rpc = async (method, params) => {
        if (method !== 'eth_call') return rpc(method, params)
        throw new Failure('chain.refused', { network: 'EthereumSepolia', reason, code })
      }
      await assert.rejects(readToken(refusing, move), isRefused)
      await assert.rejects(
        readTokenWords(refusing, coin.address, `0x${'00'.repeat(32)}`),
        isRefused,
      )
      await assert.rejects(tokenHolding(refusing, owner, move), isRefused)
    }
  })

  it('is unknown, and not nothing, while no node answers', async () => {
    const silent = httpNode({ url: 'http://127.0.0.1:1', network: 'EthereumSepolia' })
    await assert.rejects(readToken(silent, { kind: 'Erc20', contract: to }), (error) =>
      isFailure(error, 'chain.unavailable'),
    )
  })

  it('and how much of it somebody has', async () => {
    await coin.invoke('mint', [owner, 5n])
    await pieces.invoke('mint', [owner, 7n])
    await sets.invoke('mint', [owner, 7n, 9n])
    const held = (of: string, move: Parameters<typeof tokenHolding>[2]) =>
      tokenHolding(rpc, of, move)
    for (const [who, amounts] of [
      [owner, [5n, 1n, 0n, 9n, 0n]],
      [to, [0n, 0n, 0n, 0n, 0n]],
    ] as const)
      assert.deepEqual(
        await Promise.all([
          held(who, { kind: 'Erc20', contract: coin.address, to, amount: 1n }),
          held(who, { kind: 'Erc721', contract: pieces.address, to, tokenId: 7n }),
          held(who, { kind: 'Erc721', contract: pieces.address, to, tokenId: 8n }),
          held(who, { kind: 'Erc1155', contract: sets.address, to, tokenId: 7n, amount: 1n }),
          held(who, { kind: 'Erc1155', contract: sets.address, to, tokenId: 8n, amount: 1n }),
        ]),
        amounts,
      )
  })
})
