import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { bytesToBig, concat } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { privateKeyToAddress } from 'viem/accounts'
import type { Header, Network, Rpc, SentTransaction, SignedTransaction } from '../adapter.ts'
import { ethereumSepolia } from '../testing/sepolia.ts'
import { httpNode } from '../nodes.ts'
import { findBlock } from './blocks.ts'
import { evm, type EvmAsk, type EvmSignature, pendingNonce, requireFunds } from './index.ts'

const network: Network = { ...ethereumSepolia, confirmationsFinal: 2 }
const gwei = 10n ** 9n
const ether = 10n ** 18n
const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

let node: RunningEthereum
let rpc: Rpc
let secret: Uint8Array
let funded: string
const dataDir = mkdtempSync(join(tmpdir(), 'chains-'))

before(async () => {
  node = await startEthereum({ dataDir })
  rpc = httpNode({ url: node.rpcUrl, network: network.id })
  secret = Buffer.from(node.fundedPrivateKey.slice(2), 'hex')
  funded = privateKeyToAddress(node.fundedPrivateKey as `0x${string}`)
  // Blocks come when a test asks for one.
  await rpc('evm_setIntervalMining', [0])
  await rpc('evm_setAutomine', [false])
})

after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('the EVM adapter on a real node', () => {
  it('sends a transfer whose digest was signed elsewhere, and counts its confirmations', async () => {
    const before = await evm.balance(rpc, stranger)
    const { sent, signed } = await send(payment({ value: 5n }))
    assert.deepEqual(await evm.status(rpc, network, sent), { kind: 'pending' })
    assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'known' })
    await mine(1)
    const first = await evm.status(rpc, network, sent)
    assert.ok(first.kind === 'included' && first.succeeded)
    assert.equal(first.confirmations, 1)
    assert.equal(await evm.balance(rpc, stranger), before + 5n)
    assert.equal(await evm.balance(rpc, stranger, first.blockHash), before + 5n)
    await mine(2)
    const later = await evm.status(rpc, network, sent)
    assert.deepEqual(later, { ...first, confirmations: 3 })
    assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'slot-used' })
  })

  it('sends a legacy transaction and creates a contract', async () => {
    const legacy = await send(payment({ type: 0 }))
    await mine(1)
    assert.equal((await evm.status(rpc, network, legacy.sent)).kind, 'included')
    // PUSH1 0 PUSH1 0 RETURN: an account with empty code.
    const { to: _, ...creation } = payment({ data: new Uint8Array([0x60, 0, 0x60, 0, 0xf3]) })
    const created = await send({ ...creation, value: 0n })
    await mine(1)
    const status = await evm.status(rpc, network, created.sent)
    assert.ok(status.kind === 'included' && status.succeeded)
  })

  it('observes what was left open and keeps what was fixed', async () => {
    const nonce = await pendingNonce(rpc, funded)
    const facts = await evm.observe(rpc, payment({}))
    assert.equal(facts.nonce, nonce)
    assert.equal(facts.gasLimit, 21_000n)
    assert.ok(facts.maxFeePerGas > facts.maxPriorityFeePerGas && facts.maxPriorityFeePerGas > 0n)
    const fixed = { nonce: 99n, gasLimit: 30_000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n }
    assert.deepEqual(await evm.observe(rpc, payment(fixed)), { family: 'evm', ...fixed })
    const capped = await evm.observe(rpc, payment({ maxFeePerGas: 7n }))
    assert.deepEqual([capped.maxFeePerGas, capped.maxPriorityFeePerGas], [7n, 7n])
    const tipped = await evm.observe(rpc, payment({ maxPriorityFeePerGas: 5n * gwei }))
    assert.ok(tipped.maxFeePerGas > tipped.maxPriorityFeePerGas)
  })

  it('offers more for a higher priority', async () => {
    const offers = []
    for (const priority of ['Slow', 'Standard', 'Fast'] as const)
      offers.push((await evm.observe(rpc, payment({ priority }))).maxFeePerGas)
    assert.deepEqual(
      offers,
      offers.toSorted((a, b) => (a < b ? -1 : 1)),
    )
    assert.equal(new Set(offers).size, 3)
  })

  it('says so when the money does not reach, amount and fee together', async () => {
    const all = await evm.balance(rpc, funded)
    const ask = payment({ value: all })
    const facts = await evm.observe(rpc, payment({}))
    await requireFunds(rpc, payment({}), facts)
    await assert.rejects(requireFunds(rpc, ask, facts), (error) =>
      isFailure(error, 'funds.insufficient'),
    )
  })

  it('tells a node of another chain, which takes nothing signed for ours', async () => {
    const mainnet = { ...network, id: 'Ethereum', chainId: 1 }
    await evm.checkChain(rpc, network)
    await assert.rejects(evm.checkChain(rpc, mainnet), (error) => isFailure(error, 'chain.refused'))
    const facts = await evm.observe(rpc, payment({}))
    const unsigned = evm.build(mainnet, payment({}), facts)
    const signed = evm.assemble(unsigned.bytes, sign(unsigned.digest))
    assert.equal((await evm.broadcast(rpc, signed)).kind, 'refused')
  })

  it('knows a dropped transaction as missing, and sends the same bytes again', async () => {
    const { sent, signed } = await send(payment({ value: 6n }))
    await rpc('anvil_dropTransaction', [sent.hash])
    await mine(3)
    assert.deepEqual(await evm.status(rpc, network, sent), { kind: 'missing' })
    assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'accepted' })
    await mine(1)
    assert.equal((await evm.status(rpc, network, sent)).kind, 'included')
  })

  it('takes a transaction as lapsed only once another in its slot is settled', async () => {
    const nonce = await pendingNonce(rpc, funded)
    const { sent } = await send(payment({ value: 1n, nonce }))
    await rpc('anvil_dropTransaction', [sent.hash])
    const fees = { maxFeePerGas: 90n * gwei, maxPriorityFeePerGas: 9n * gwei }
    await send(payment({ value: 2n, nonce, ...fees }))
    await mine(1)
    assert.deepEqual(await evm.status(rpc, network, sent), { kind: 'missing' })
    await mine(1)
    assert.deepEqual(await evm.status(rpc, network, sent), { kind: 'lapsed' })
  })

  it('lets a reorganization take a transaction back, and finds it again in its new block', async () => {
    const { sent, signed } = await send(payment({ value: 8n }))
    await mine(2)
    const held = await holdHeaders(6)
    const before = await evm.status(rpc, network, sent)
    assert.ok(before.kind === 'included')
    await rpc('anvil_reorg', [3, []])
    assert.equal((await evm.status(rpc, network, sent)).kind, 'missing')

    const change = await evm.advance(rpc, held)
    assert.ok(change.kind === 'moved')
    assert.deepEqual(
      change.orphaned.map(({ number }) => number),
      held
        .slice(-change.orphaned.length)
        .map(({ number }) => number)
        .toReversed(),
    )
    assert.ok(change.orphaned.some(({ hash }) => hash === before.blockHash))
    assert.equal(change.added.length, change.orphaned.length)

    assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'accepted' })
    await mine(1)
    const after = await evm.status(rpc, network, sent)
    assert.ok(after.kind === 'included' && after.blockHash !== before.blockHash)
  })
})

describe('following the chain', () => {
  it('starts at the newest block, then tells same, next and further on apart', async () => {
    const start = await evm.advance(rpc, [])
    assert.ok(start.kind === 'moved' && start.added.length === 1)
    const held: Header[] = [...start.added]
    assert.deepEqual(await evm.advance(rpc, held), { kind: 'same' })
    await mine(1)
    const next = await evm.advance(rpc, held)
    assert.ok(next.kind === 'moved' && next.orphaned.length === 0 && next.added.length === 1)
    held.push(...next.added)
    await mine(40)
    const some = await evm.advance(rpc, held)
    assert.ok(some.kind === 'moved' && some.added.length === 32)
    held.push(...some.added)
    const rest = await evm.advance(rpc, held)
    assert.ok(rest.kind === 'moved' && rest.added.length === 8)
    for (const [i, header] of [...held, ...rest.added].entries())
      assert.equal(
        header.parentHash,
        i === 0 ? held[0]?.parentHash : [...held, ...rest.added][i - 1]?.hash,
      )
  })

  it('takes a node that lags behind what it holds for no reorganization', async () => {
    const held = await holdHeaders(2)
    const { number = 0n, hash: parentHash = '', timestamp = 0n } = held.at(-1) ?? {}
    const unseen = { number: number + 1n, hash: `0x${'cd'.repeat(32)}`, parentHash, timestamp }
    assert.deepEqual(await evm.advance(rpc, [...held, unseen]), { kind: 'same' })
    await mine(1)
    const change = await evm.advance(rpc, [...held, unseen])
    assert.ok(change.kind === 'moved')
    assert.deepEqual(change.orphaned, [unseen])
  })

  it('stops when nothing it holds is on the chain any more', async () => {
    await mine(1)
    const held = await holdHeaders(2)
    await rpc('anvil_reorg', [4, []])
    await mine(1)
    assert.deepEqual(await evm.advance(rpc, held), { kind: 'too-deep' })
  })

  it('names a chain that is younger than the headers it holds', async () => {
    const hash = `0x${'ab'.repeat(32)}`
    const held = [{ number: 10n ** 9n, hash, parentHash: hash, timestamp: 0n }]
    const change = await evm.advance(rpc, held)
    assert.ok(change.kind === 'younger' && change.head < change.held)
  })

  it('finds the payments of a block in both directions, each with its block', async () => {
    await send(payment({ value: 11n }))
    const own = await send(payment({ value: 12n, to: funded }))
    await mine(1)
    const block = await findBlock(rpc, 'latest')
    assert.ok(block)
    const both = await evm.transfersOf(rpc, block, new Set([funded]))
    assert.deepEqual(
      both.map(({ direction, value, address }) => [direction, value, address]),
      [
        ['Out', 11n, funded],
        ['Out', 12n, funded],
        ['In', 12n, funded],
      ],
    )
    assert.ok(both.every(({ fee = 0n, blockHash }) => fee > 0n && blockHash === block.hash))
    assert.equal(both[1]?.hash, own.sent.hash)
    const theirs = await evm.transfersOf(rpc, block, new Set([stranger]))
    assert.deepEqual(
      theirs.map(({ direction, value }) => [direction, value]),
      [['In', 11n]],
    )
    assert.deepEqual(await evm.transfersOf(rpc, block, new Set()), [])
  })

  it('shows a failed payment to its sender alone, with its fee and no value', async () => {
    // INVALID as code: whatever comes in fails.
    const trap = evm.parseAddress('0x00000000000000000000000000000000000000fe')
    await rpc('anvil_setCode', [trap, '0xfe'])
    const { sent } = await send(payment({ to: trap, value: 13n, gasLimit: 50_000n }))
    await mine(1)
    const status = await evm.status(rpc, network, sent)
    assert.ok(status.kind === 'included' && !status.succeeded)
    const block = await findBlock(rpc, 'latest')
    assert.ok(block)
    const found = await evm.transfersOf(rpc, block, new Set([funded, trap]))
    assert.deepEqual(
      found.map(({ direction, value, succeeded }) => [direction, value, succeeded]),
      [['Out', 0n, false]],
    )
    assert.equal(found[0]?.fee, status.fee)
  })

  it('refuses to mix a block that is gone with receipts of another', async () => {
    await send(payment({ value: 14n }))
    await mine(1)
    const block = await findBlock(rpc, 'latest')
    assert.ok(block)
    await rpc('anvil_reorg', [1, []])
    await assert.rejects(evm.transfersOf(rpc, block, new Set([funded])), (error) =>
      isFailure(error, 'chain.refused'),
    )
  })
})

function payment(change: Partial<EvmAsk>): EvmAsk {
  return {
    type: 2,
    from: funded,
    to: stranger,
    value: ether / 1000n,
    data: new Uint8Array(),
    priority: 'Standard',
    ...change,
  }
}

async function send(ask: EvmAsk): Promise<{ sent: SentTransaction; signed: SignedTransaction }> {
  const facts = await evm.observe(rpc, ask)
  const unsigned = evm.build(network, ask, facts)
  const signed = evm.assemble(unsigned.bytes, sign(unsigned.digest))
  assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'accepted' })
  return { sent: { hash: signed.hash, from: ask.from, slot: facts.nonce }, signed }
}

/** Stands where the signers stand: it sees a digest and nothing else. */
function sign(digest: Uint8Array): EvmSignature {
  const bytes = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  const [recovery = 0] = concat(bytes)
  return {
    r: bytesToBig(bytes.subarray(1, 33)),
    s: bytesToBig(bytes.subarray(33)),
    yParity: recovery === 1 ? 1 : 0,
  }
}

async function mine(blocks: number): Promise<void> {
  await rpc('anvil_mine', [`0x${blocks.toString(16)}`])
}

/** The newest headers, as a follower would have kept them. */
async function holdHeaders(count: number): Promise<readonly Header[]> {
  const newest = await findBlock(rpc, 'latest')
  assert.ok(newest)
  const held: Header[] = [newest]
  for (let i = 1; i < count; i++) {
    const block = await findBlock(rpc, newest.number - BigInt(i))
    assert.ok(block)
    held.unshift(block)
  }
  return held
}
