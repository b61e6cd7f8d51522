import assert from 'node:assert/strict'
import { it } from 'node:test'
import { bigToBytes, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { pad, parseSignature, toEventSelector } from 'viem'
import type { PrivateKeyAccount } from 'viem/accounts'
import type { SignedTransaction } from '../adapter.ts'
import {
  accountAddress,
  type AccountOperation,
  type AccountTerms,
  delegationOf,
  executeHash,
  isDeployed,
  isUsed,
  relayData,
} from '../evm/account/account.ts'
import { parseAddress } from '../evm/address.ts'
import { findHeader } from '../evm/blocks.ts'
import { type EvmAsk, evm, type EvmSignature } from '../evm/index.ts'
import { tokenCall } from '../evm/tokens.ts'
import type { EvmAuthorization } from '../evm/transaction.ts'
import { type Bench, ether, network, pay, shop } from './node-bench.ts'

const chainId = BigInt(network.chainId)
/** Enough for whatever is tried here. */
const gasLimit = 400_000n

/** What a fee sponsor rests on. */
export function describeSponsored(bench: Bench): void {
  describeRights(bench)
  describeWrongs(bench)
  describeDelegations(bench)
  describeEstimates(bench)
}

function describeRights(bench: Bench): void {
  it('carries out what an account has signed, in the transaction that has it run the contract', async () => {
    const pair = await Pair.make(bench)
    assert.equal(await isDeployed(bench.rpc), true)
    assert.equal(await pair.delegation(), 'none')
    const inner = await pair.sign([payment(7n)])
    const sent = await pair.send(inner, [await pair.authorization()])
    assert.equal(await pair.delegation(), 'ours')
    assert.deepEqual(await pair.nonces(), ['0x1', '0x1'])
    const fee = await bench.feeOf(pair.sponsor, sent)
    assert.deepEqual(await pair.balances(), [ether - 7n, ether - fee])
    assert.equal(await isUsed(bench.rpc, pair.account.address, inner.terms.nonce), true)
    assert.equal(await isUsed(bench.rpc, pair.account.address, new Uint8Array(32)), false)
    assert.deepEqual(await logsOf(bench, sent), [executed(pair, inner)])
  })

  it('and without it from then on: several at once, ether and units of a coin', async () => {
    const pair = await Pair.delegated(bench)
    await bench.node.endowUnits(pair.account.address, 9n)
    const [before, units] = [await evm.balance(bench.rpc, shop), await bench.unitsOf(shop)]
    const inner = await pair.sign([payment(7n), pair.units(5n), payment(2n)])
    const sent = await pair.send(inner)
    assert.equal(await evm.balance(bench.rpc, shop), before + 9n)
    assert.equal(await bench.unitsOf(shop), units + 5n)
    assert.equal(await bench.unitsOf(pair.account.address), 4n)
    const parties = ([pair.account.address, shop] as const).map((one) => pad(one).toLowerCase())
    const moved = [bench.node.coin.toLowerCase(), transferTopic, ...parties]
    assert.deepEqual(await logsOf(bench, sent), [executed(pair, inner), moved])
    assert.deepEqual(await pair.nonces(), ['0x1', '0x2'])
  })
}

function describeWrongs(bench: Bench): void {
  it('carries nothing out twice', async () => {
    const pair = await Pair.delegated(bench)
    const inner = await pair.sign([payment(7n)])
    await pair.send(inner)
    await pair.fails(inner)
    const [left] = await pair.balances()
    assert.equal(left, ether - 7n)
  })

  it('carries nothing out past its deadline, which is by the clock of the block', async () => {
    const pair = await Pair.delegated(bench)
    const head = await findHeader(bench.rpc, 'latest')
    assert.ok(head)
    const over = { deadline: head.timestamp - 1n }
    await pair.refuses(await pair.sign([payment(7n)], over))
    const justNow = await pair.sign([payment(7n)], { deadline: head.timestamp })
    await pair.fails(justNow)
    assert.equal(await isUsed(bench.rpc, pair.account.address, justNow.terms.nonce), false)
  })

  it('carries nothing out that somebody else has signed, or that names another sponsor', async () => {
    const [pair, other] = [await Pair.delegated(bench), await Pair.delegated(bench)]
    const inner = await pair.sign([payment(7n)])
    const { signature } = await other.sign([payment(7n)], inner.terms)
    const more = { ...inner.terms, operations: [payment(8n)] }
    const wrongs = [
      { ...inner, signature },
      { ...inner, terms: more },
      { ...inner, signature: otherwise(inner.signature) },
    ]
    for (const wrong of wrongs) {
      await pair.refuses(wrong)
      await pair.fails(wrong)
    }
    await other.refuses(inner)
    const [left] = await pair.balances()
    assert.equal(left, ether)
  })

  it('carries out all or nothing, and what has failed may yet be carried out', async () => {
    const pair = await Pair.make(bench)
    const inner = await pair.sign([payment(7n), pair.units(5n)])
    const [before, sent] = [await evm.balance(bench.rpc, shop), [await pair.authorization()]]
    await pair.refuses(inner, sent)
    const failed = await pair.fails(inner, sent)
    assert.deepEqual(await logsOf(bench, failed), [])
    assert.equal(await isUsed(bench.rpc, pair.account.address, inner.terms.nonce), false)
    assert.equal(await evm.balance(bench.rpc, shop), before)
    // It runs the contract all the same, and has used its nonce for that.
    assert.equal(await pair.delegation(), 'ours')
    assert.deepEqual(await pair.nonces(), ['0x1', '0x1'])
    await bench.node.endowUnits(pair.account.address, 5n)
    await pair.send(inner)
    assert.equal(await evm.balance(bench.rpc, shop), before + 7n)
  })

  it('carries out nothing for which there is too little ether', async () => {
    const pair = await Pair.delegated(bench)
    const inner = await pair.sign([payment(2n), payment(ether)])
    await pair.refuses(inner)
    await pair.fails(inner)
    assert.equal((await pair.balances())[0], ether)
  })
}

function describeDelegations(bench: Bench): void {
  it('takes no authorization at another nonce or of another chain, and fails for want of it', async () => {
    const pair = await Pair.make(bench)
    const inner = await pair.sign([payment(7n)])
    const wrongs = [{ nonce: 1n }, { chainId: 1n }]
    for (const wrong of wrongs) {
      const list = [await pair.authorization(wrong)]
      await pair.refuses(inner, list)
      await pair.fails(inner, list)
    }
    assert.equal(await pair.delegation(), 'none')
    assert.equal((await pair.nonces())[0], '0x0')
    await pair.refuses(inner)
    await pair.send(inner, [await pair.authorization({ chainId: 0n })])
  })

  it('takes no authorization that its account has not signed as it should have', async () => {
    const pair = await Pair.make(bench)
    const inner = await pair.sign([payment(7n)])
    const right = await pair.authorization()
    const wrongs = [otherwise(right), { ...right, yParity: 2n }, { ...right, r: right.r + 1n }]
    for (const wrong of wrongs) await pair.fails(inner, [wrong])
    assert.equal(await pair.delegation(), 'none')
  })

  it('has an account run what it signs last, or nothing', async () => {
    const pair = await Pair.make(bench)
    const inner = await pair.sign([payment(7n)])
    const last = await pair.authorization({ nonce: 1n, address: shop })
    await pair.fails(inner, [await pair.authorization(), last])
    assert.equal(await pair.delegation(), 'other')
    await pair.fails(inner, [await pair.authorization({ nonce: 2n, address: nobody })])
    assert.equal(await pair.delegation(), 'none')
    await pair.send(inner, [await pair.authorization({ nonce: 3n })])
    assert.equal((await pair.nonces())[0], '0x4')
  })

  it('carries out in one block what shares an authorization, by several sponsors', async () => {
    const [pair, another] = [await Pair.make(bench), await Pair.make(bench)]
    const second = new Pair(bench, pair.account, another.sponsor)
    const list = [await pair.authorization()]
    const [inner, next] = [await pair.sign([payment(7n)]), await second.sign([payment(8n)], later)]
    const both = [await pair.transaction(inner, list), await second.transaction(next, list)]
    for (const { sent } of both) await bench.send(sent)
    await bench.node.mine(1)
    for (const [i, { sent, nonce }] of both.entries())
      assert.equal(await [pair, second][i]?.hasSucceeded(sent, nonce), true)
    assert.equal((await pair.nonces())[0], '0x1')
    assert.equal((await pair.balances())[0], ether - 15n)
  })

  it('does without an authorization that comes again', async () => {
    const pair = await Pair.make(bench)
    const list = [await pair.authorization()]
    await pair.send(await pair.sign([payment(7n)]), list)
    await pair.send(await pair.sign([payment(7n)]), list)
    assert.deepEqual(await pair.nonces(), ['0x1', '0x2'])
  })

  it('ends what its account has sent at the nonce that an authorization has used', async () => {
    const pair = await Pair.make(bench)
    await bench.node.mine(1)
    const own = await pay(pair.account)
    await pair.send(await pair.sign([payment(7n)]), [await pair.authorization()])
    assert.deepEqual(await bench.statusOf(pair.account, own), { kind: 'missing' })
    await bench.node.mine(network.confirmationsFinal)
    assert.deepEqual(await bench.statusOf(pair.account, own), { kind: 'lapsed' })
  })

  it('takes an authorization back with its block, and what was carried out', async () => {
    const pair = await Pair.make(bench)
    await bench.node.mine(1)
    const inner = await pair.sign([payment(7n)])
    const list = [await pair.authorization()]
    await pair.send(inner, list)
    await bench.node.reorganize(1)
    assert.equal(await pair.delegation(), 'none')
    assert.deepEqual(await pair.nonces(), ['0x0', '0x0'])
    await pair.send(inner, list)
    assert.equal(await pair.delegation(), 'ours')
    assert.equal(await isUsed(bench.rpc, pair.account.address, inner.terms.nonce), true)
    assert.equal((await pair.balances())[0], ether - 7n)
  })

  it('lets an account that runs the contract pay by itself, and be paid for more gas', async () => {
    const pair = await Pair.delegated(bench)
    assert.equal((await bench.send(await pay(pair.account))).kind, 'slot-used')
    const own = await pay(pair.account, { nonce: 1, value: 3n })
    assert.deepEqual(await bench.send(own), { kind: 'accepted' })
    await bench.node.mine(1)
    const fee = await bench.feeOf(pair.account, own)
    assert.equal((await pair.balances())[0], ether - 3n - fee)
    const to = pair.account.address
    const ask = { type: 2, from: pair.sponsor.address, to, value: 1n, data: empty } as const
    const { gasLimit: gas } = await evm.observe(bench.rpc, { ...ask, priority: 'Standard' })
    assert.ok(gas > 21_000n && gas < 30_000n, `${gas}`)
    const [short, enough] = [
      await pay(pair.sponsor, { nonce: 1, to }),
      await pay(pair.sponsor, { nonce: 2, to, gas }),
    ]
    for (const one of [short, enough]) await bench.send(one)
    await bench.node.mine(1)
    assert.equal(await pair.hasSucceeded(short, 1n), false)
    assert.equal(await pair.hasSucceeded(enough, 2n), true)
    assert.equal((await pair.balances())[0], ether - 3n - fee + 1n)
  })
}

function describeEstimates(bench: Bench): void {
  it('observes what it takes to carry out: ether, units, an account’s first time', async () => {
    const pair = await Pair.make(bench)
    await bench.node.endowUnits(pair.account.address, 9n)
    const list = [await pair.authorization()]
    const first = await pair.observed(await pair.sign([payment(7n)]), list)
    await pair.send(await pair.sign([payment(7n)]), list)
    const usual = await pair.observed(await pair.sign([payment(7n)]))
    const inUnits = await pair.observed(await pair.sign([pair.units(5n)]))
    const nobodys = { ...payment(7n), to: `0x${'5e'.repeat(20)}` }
    const fresh = await pair.observed(await pair.sign([nobodys]))
    assert.ok(usual > 70_000n && usual < 100_000n, `${usual}`)
    assert.ok(first > usual + 15_000n && first < usual + 45_000n, `${first}`)
    assert.ok(inUnits > 80_000n && inUnits < 140_000n, `${inUnits}`)
    assert.ok(fresh > usual + 25_000n && fresh < usual + 40_000n, `${fresh}`)
  })

  it('carries out with as much gas as it has said, and fails with far less', async () => {
    const pair = await Pair.make(bench)
    const inner = await pair.sign([payment(7n)])
    const list = [await pair.authorization()]
    const enough = await pair.observed(inner, list)
    const short = await pair.fails(inner, list, 75_000n)
    assert.equal(await pair.delegation(), 'ours')
    assert.equal((await pair.balances())[0], ether)
    assert.deepEqual(await logsOf(bench, short), [])
    await pair.send(await pair.sign([payment(7n)]), list, enough)
  })
}

const empty = new Uint8Array()
const nobody = `0x${'00'.repeat(20)}`
const later = { nonce: bigToBytes(77n, 32), deadline: 2n ** 40n }
/** The order of secp256k1. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const transferTopic = toEventSelector('Transfer(address,address,uint256)')

type Inner = { readonly terms: AccountTerms; readonly signature: EvmSignature }

function payment(value: bigint): AccountOperation {
  return { to: shop, value, data: empty }
}

/** An account, and who pays for it. */
export class Pair {
  readonly account: PrivateKeyAccount
  readonly sponsor: PrivateKeyAccount
  private readonly bench: Bench
  private signed = 0

  constructor(bench: Bench, account: PrivateKeyAccount, sponsor: PrivateKeyAccount) {
    this.bench = bench
    this.account = account
    this.sponsor = sponsor
  }

  static async make(bench: Bench): Promise<Pair> {
    return new Pair(bench, await bench.account(), await bench.account())
  }

  /** One that runs the contract already. */
  static async delegated(bench: Bench): Promise<Pair> {
    const pair = await Pair.make(bench)
    await pair.send(await pair.sign([]), [await pair.authorization()])
    return pair
  }

  delegation() {
    return delegationOf(this.bench.rpc, this.account.address)
  }

  /** Of both, by blocks. */
  nonces(): Promise<readonly unknown[]> {
    return Promise.all(
      [this.account, this.sponsor].map(({ address }) =>
        this.bench.rpc('eth_getTransactionCount', [address, 'latest']),
      ),
    )
  }

  balances(): Promise<readonly bigint[]> {
    const both = [this.account, this.sponsor]
    return Promise.all(both.map(({ address }) => evm.balance(this.bench.rpc, address)))
  }

  units(amount: bigint): AccountOperation {
    const { coin: to } = this.bench.node
    return { to, value: 0n, data: tokenCall(this.account.address, this.bench.move(amount)) }
  }

  async sign(
    operations: readonly AccountOperation[],
    { nonce = bigToBytes(BigInt((this.signed += 1)), 32), deadline = 2n ** 40n } = {},
  ): Promise<Inner> {
    const terms = { account: this.account.address, operations, nonce, deadline }
    const { address: sponsor } = this.sponsor
    return {
      terms,
      signature: await signed(this.account, executeHash(terms, { chainId, sponsor })),
    }
  }

  async authorization(
    change: Partial<Pick<EvmAuthorization, 'nonce' | 'chainId' | 'address'>> = {},
  ): Promise<EvmAuthorization> {
    const terms = { nonce: 0n, chainId, address: accountAddress, ...change }
    const {
      r,
      s,
      yParity = 0,
    } = await this.account.signAuthorization({
      address: parseAddress(terms.address),
      ...{ nonce: Number(terms.nonce), chainId: Number(terms.chainId) },
    })
    return { ...terms, r: BigInt(r), s: BigInt(s), yParity: BigInt(yParity) }
  }

  /** The sponsor's transaction, in a block, and carried out. */
  async send(...what: Parameters<Pair['sent']>): Promise<SignedTransaction> {
    const { sent, succeeded } = await this.sent(...what)
    assert.equal(succeeded, true)
    return sent
  }

  /** In a block, and not carried out. */
  async fails(...what: Parameters<Pair['sent']>): Promise<SignedTransaction> {
    const { sent, succeeded } = await this.sent(...what)
    assert.equal(succeeded, false)
    return sent
  }

  /** Before anything is sent. */
  async refuses(...what: Parameters<Pair['observed']>): Promise<void> {
    await assert.rejects(
      this.observed(...what),
      (error) => isFailure(error, 'chain.refused') && error.context.reason.includes('revert'),
    )
  }

  async observed(inner: Inner, authorizations?: readonly EvmAuthorization[]): Promise<bigint> {
    return (await evm.observe(this.bench.rpc, this.ask(inner, authorizations))).gasLimit
  }

  async hasSucceeded(sent: SignedTransaction, slot: bigint): Promise<boolean> {
    const status = await this.bench.statusOf(this.sponsor, sent, slot)
    assert.ok(status.kind === 'included')
    return status.succeeded
  }

  private async sent(
    ...what: Parameters<Pair['transaction']>
  ): Promise<{ readonly sent: SignedTransaction; readonly succeeded: boolean }> {
    const { sent, nonce } = await this.transaction(...what)
    assert.deepEqual(await this.bench.send(sent), { kind: 'accepted' })
    assert.deepEqual(await this.bench.statusOf(this.sponsor, sent, nonce), { kind: 'pending' })
    await this.bench.node.mine(1)
    return { sent, succeeded: await this.hasSucceeded(sent, nonce) }
  }

  async transaction(
    inner: Inner,
    authorizations?: readonly EvmAuthorization[],
    gas = gasLimit,
  ): Promise<{ readonly sent: SignedTransaction; readonly nonce: bigint }> {
    const ask = { ...this.ask(inner, authorizations), gasLimit: gas }
    const facts = await evm.observe(this.bench.rpc, ask)
    const unsigned = evm.build(network, ask, facts)
    const sent = evm.assemble(unsigned.bytes, await signed(this.sponsor, unsigned.digest))
    return { sent, nonce: facts.nonce }
  }

  private ask({ terms, signature }: Inner, authorizations?: readonly EvmAuthorization[]): EvmAsk {
    const call = {
      ...{ from: this.sponsor.address, to: accountAddress, value: 0n, priority: 'Fast' as const },
      data: relayData(terms, signature),
    }
    return authorizations === undefined
      ? { type: 2, ...call }
      : { type: 4, ...call, authorizations }
  }
}

async function signed(by: PrivateKeyAccount, digest: Uint8Array): Promise<EvmSignature> {
  const { r, s, yParity } = parseSignature(await by.sign({ hash: `0x${toHex(digest)}` }))
  return { r: BigInt(r), s: BigInt(s), yParity: yParity === 1 ? 1 : 0 }
}

/** The other one of the two that say the same, which chains and the contract do not take. */
function otherwise<T extends { readonly s: bigint; readonly yParity: bigint | number }>(one: T): T {
  const yParity = typeof one.yParity === 'bigint' ? 1n - one.yParity : 1 - one.yParity
  return { ...one, s: order - one.s, yParity }
}

/** Each as its contract and its topics. */
async function logsOf(bench: Bench, sent: SignedTransaction): Promise<readonly string[][]> {
  const logs = await bench.logsOf(sent)
  return logs.map(({ address, topics }) => [address.toLowerCase(), ...topics])
}

function executed({ account }: Pair, { terms }: Inner): string[] {
  const topic = toEventSelector('Executed(bytes32)')
  return [account.address.toLowerCase(), topic, `0x${toHex(terms.nonce)}`]
}
