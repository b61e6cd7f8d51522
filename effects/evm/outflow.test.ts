import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Outflow } from '@quorate/core/outflow'
import { concat, fromHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { decodeFunctionData, encodeFunctionData, type Hex, parseAbi } from 'viem'
import { outflowOfMessage, outflowOfTransaction, outflowOfTypedData } from './outflow.ts'

const contract = `0x${'c0'.repeat(20)}`
const token = `EthereumSepolia/Erc20/${contract}`
const native = 'EthereumSepolia/Native'
const alice = `0x${'a1'.repeat(20)}` as const
const bob = `0x${'b0'.repeat(20)}` as const
const word = `0x${'11'.repeat(32)}` as const
const fee = { asset: native, amount: 21_000n }

/** What is understood, and next to it what must not be. */
const abi = parseAbi([
  'function transfer(address to, uint256 amount)',
  'function approve(address to, uint256 amount)',
  'function increaseAllowance(address to, uint256 amount)',
  'function transferFrom(address from, address to, uint256 amount)',
  'function permit(address owner, address to, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)',
  'function decreaseAllowance(address to, uint256 amount)',
  'function safeTransferFrom(address from, address to, uint256 id)',
  'function safeTransferFrom(address from, address to, uint256 id, bytes data)',
  'function safeTransferFrom(address from, address to, uint256 id, uint256 amount, bytes data)',
  'function setApprovalForAll(address to, bool approved)',
  'function execute(address to, uint256 value, bytes data)',
  'function aggregate3((address target, bool allowFailure, bytes callData)[] calls)',
])
const known = ['transfer', 'approve', 'increaseAllowance', 'permit', 'piece', 'units']
const flows = [...known, 'transferFrom']

function outflowOf(data: Hex, change: { value?: bigint; to?: undefined } = {}): Outflow {
  const { value = 0n } = change
  return outflowOfTransaction(
    {
      ...{ type: 2, chainId: 11155111n, nonce: 0n, gasLimit: 21_000n, value, accessList: [] },
      ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, data: fromHex(data.slice(2)) },
      ...('to' in change ? {} : { to: fromHex(contract.slice(2)) }),
    },
    { network: { id: 'EthereumSepolia' }, feeMax: 21_000n, from: fromHex(bob.slice(2)) },
  )
}

const transfer = encodeFunctionData({ abi, functionName: 'transfer', args: [alice, 5n] })
const moved = { asset: token, to: alice, amount: 5n }
const allowance = (functionName: 'approve' | 'increaseAllowance', amount: bigint) =>
  outflowOf(encodeFunctionData({ abi, functionName, args: [alice, amount] }))
const permit = (amount: bigint) =>
  encodeFunctionData({
    ...{ abi, functionName: 'permit' },
    args: [bob, alice, amount, 2n ** 256n - 1n, 27, word, word],
  })

describe('what leaves by a transaction', () => {
  it('is the value where there is no data, even none of it', () => {
    for (const value of [0n, 7n])
      assert.deepEqual(outflowOf('0x', { value }), {
        ...{ isKnown: true, isRaw: false, fee },
        movements: [{ asset: native, to: contract, amount: value }],
      })
  })

  it('is what a token is asked to move, or to let somebody move later', () => {
    const one = { isKnown: true, isRaw: false, fee, movements: [moved] }
    for (const outflow of [
      outflowOf(transfer),
      allowance('approve', 5n),
      allowance('increaseAllowance', 5n),
      outflowOf(permit(5n)),
    ])
      assert.deepEqual(outflow, one)
  })

  it('is unknown where the allowance has no end', () => {
    for (const endless of [2n ** 256n - 1n, 2n ** 160n - 1n, 2n ** 96n - 1n])
      for (const outflow of [
        allowance('approve', endless),
        allowance('increaseAllowance', endless),
        outflowOf(permit(endless)),
      ])
        assert.equal(outflow.isKnown, false)
    assert.equal(allowance('approve', 2n ** 96n - 2n).isKnown, true)
    // A transfer of too much fails, or is of all there is: either way it counts as what it says.
    const all = encodeFunctionData({
      abi,
      functionName: 'transfer',
      args: [alice, 2n ** 256n - 1n],
    })
    assert.equal(outflowOf(all).isKnown, true)
  })

  it('is unknown where the same bytes move one thing of a collection', () => {
    const data = encodeFunctionData({ abi, functionName: 'transferFrom', args: [bob, alice, 5n] })
    assert.deepEqual(outflowOf(data), { isKnown: false, isRaw: false, fee, movements: [moved] })
  })

  it('is a piece of a collection, or units of one, that only their own standards move', () => {
    const functionName = 'safeTransferFrom'
    const piece = encodeFunctionData({ abi, functionName, args: [bob, alice, 7n] })
    const units = encodeFunctionData({ abi, functionName, args: [bob, alice, 7n, 5n, '0x'] })
    for (const [data, kind, amount] of [
      [piece, 'Erc721', 1n],
      [units, 'Erc1155', 5n],
    ] as const)
      assert.deepEqual(outflowOf(data), {
        ...{ isKnown: true, isRaw: false, fee },
        movements: [{ asset: `EthereumSepolia/${kind}/${contract}`, to: alice, amount }],
      })
    // With bytes the recipient is told something, and may do more than to receive.
    for (const args of [
      [bob, alice, 7n, '0x01'],
      [bob, alice, 7n, 5n, '0x01'],
    ] as const)
      assert.equal(
        outflowOf(encodeFunctionData({ abi, functionName, args } as never)).isKnown,
        false,
      )
  })

  it('is what Permit2 is to let somebody take of a token, and no other contract by these bytes', () => {
    const at = fromHex('000000000022d473030f116ddee9f6b43ac78ba3')
    const approval = (amount: bigint) =>
      encodeFunctionData({
        abi: parseAbi([
          'function approve(address token, address spender, uint160 amount, uint48 end)',
        ]),
        ...{ functionName: 'approve', args: [contract as Hex, alice, amount, 9] },
      })
    const tx = (to: Uint8Array, data: Hex) =>
      outflowOfTransaction(
        {
          ...{ type: 2, chainId: 11155111n, nonce: 0n, gasLimit: 21_000n, value: 0n },
          ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, accessList: [] },
          ...{ to, data: fromHex(data.slice(2)) },
        },
        { network: { id: 'EthereumSepolia' }, feeMax: 21_000n, from: fromHex(bob.slice(2)) },
      )
    const known = { isKnown: true, isRaw: false, fee, movements: [moved] }
    const dirty = `${approval(5n).slice(0, -64)}01${approval(5n).slice(-62)}`
    assert.deepEqual(tx(at, approval(5n)), known)
    assert.equal(tx(at, approval(2n ** 160n - 1n)).isKnown, false)
    assert.equal(tx(at, dirty as Hex).isKnown, false)
    assert.deepEqual(outflowOf(approval(5n)), { ...known, isKnown: false, movements: [] })
  })

  it('is what a contract is asked to do for its caller, all at once (multicall)', () => {
    const approval = encodeFunctionData({ abi, functionName: 'approve', args: [bob, 7n] })
    assert.deepEqual(outflowOf(multicall(transfer, approval)), {
      ...{ isKnown: true, isRaw: false, fee },
      movements: [moved, { asset: token, to: bob, amount: 7n }],
    })
    const endless = encodeFunctionData({ abi, functionName: 'approve', args: [bob, most] })
    for (const data of [
      multicall(transfer, '0x12345678'),
      multicall(transfer, endless),
      multicall(multicall(multicall(multicall(transfer)))),
      `${multicall(transfer)}00` as Hex,
      multicall(transfer).slice(0, -2) as Hex,
      multicall().slice(0, -2) as Hex,
      multicall(...Array.from({ length: 257 }, () => transfer)),
    ])
      assert.equal(outflowOf(data).isKnown, false)
    assert.equal(outflowOf(multicall(multicall(multicall(transfer)))).isKnown, true)
    assert.equal(outflowOf(multicall(transfer), { value: 1n }).isKnown, false)
  })

  it('is what a Safe pays, unless it lends its code or refunds somebody', () => {
    const paid = { ...{ isKnown: true, isRaw: false, fee } }
    const native7 = { asset: native, to: alice, amount: 7n }
    assert.deepEqual(outflowOf(execution({ to: alice, value: 7n })), {
      ...paid,
      movements: [native7],
    })
    const called = execution({ to: contract as Hex, data: transfer })
    assert.deepEqual(outflowOf(called), { ...paid, movements: [moved] })
    for (const data of [
      execution({ to: alice, value: 7n, operation: 1 }),
      execution({ to: alice, value: 7n, operation: 2 }),
      execution({ to: alice, value: 7n, gasPrice: 1n }),
      execution({ to: contract as Hex, value: 1n, data: transfer }),
      execution({ to: contract as Hex, data: '0x12345678' }),
      `${called}${'00'.repeat(32)}` as Hex,
    ])
      assert.equal(outflowOf(data).isKnown, false)
  })

  it('is raw where others’ operations are brought along (ERC-4337)', () => {
    for (const selector of ['1fad948c', '765e827f', '4b1d7cf5', 'dbed18e0']) {
      const bundle = `0x${selector}${'00'.repeat(64)}` as const
      for (const data of [bundle, execution({ to: alice, data: bundle }), multicall(bundle)])
        assert.deepEqual(rawness(outflowOf(data)), { isKnown: false, isRaw: true }, data)
    }
  })

  it('is raw where the account’s own code is asked, by whatever contract (EIP-7702)', () => {
    const own = (data: Hex) => execution({ to: bob, data })
    for (const data of [own(transfer), own(own(transfer)), multicall(own(transfer))])
      assert.deepEqual(rawness(outflowOf(data)), { isKnown: false, isRaw: true }, data)
    assert.deepEqual(rawness(outflowOf(execution({ to: bob, value: 7n }))), {
      ...{ isKnown: true, isRaw: false },
    })
  })

  it('is unknown beside value, which leaves as well', () => {
    assert.deepEqual(outflowOf(transfer, { value: 1n }), {
      ...{ isKnown: false, isRaw: false, fee },
      movements: [{ asset: native, to: contract, amount: 1n }, moved],
    })
  })

  it('is unknown when anything follows, is missing, or stands where nothing may', () => {
    const dirty = `${transfer.slice(0, 10)}01${transfer.slice(12)}` as const
    const dirtyNext = `${transfer.slice(0, 32)}01${transfer.slice(34)}` as const
    const wide = permit(5n).replace(`${'0'.repeat(62)}1b`, `${'0'.repeat(61)}11b`) as Hex
    assert.notEqual(wide, permit(5n))
    for (const data of [
      ...[dirty, dirtyNext, wide, `${transfer}00`, `${transfer}${'00'.repeat(32)}`],
      ...[transfer.slice(0, -2), transfer.slice(0, 10), '0xa9', '0x00000000'],
    ] as Hex[])
      assert.deepEqual(outflowOf(data), { isKnown: false, isRaw: false, fee, movements: [] })
  })

  it('is unknown when a contract is made, and its value goes where nobody can tell', () => {
    const pretending = outflowOf(execution({ to: alice, value: 7n }), { to: undefined })
    assert.deepEqual(pretending, { isKnown: false, isRaw: false, fee, movements: [] })
    const { isKnown, movements } = outflowOf(transfer, { to: undefined, value: 3n })
    assert.equal(isKnown, false)
    assert.deepEqual(movements, [{ asset: native, to: '', amount: 3n }])
  })

  // QUORATE_TEST_CALLS=100000 for a long run.
  const runs = Number(process.env['QUORATE_TEST_CALLS'] ?? 2_000)
  it(`is what viem reads, of ${runs} calls`, () => {
    for (let run = 0; run < runs; run++) {
      const { data, name } = generatedCall(run)
      const outflow = outflowOf(data)
      const theirs = readByViem(data)
      const movements = theirs === undefined || !flows.includes(theirs.name) ? [] : [theirs.moved]
      const isKnown = known.includes(theirs?.name ?? '') && !isEndless(theirs?.name, movements[0])
      assert.deepEqual(outflow, { isKnown, isRaw: false, movements, fee }, `${run} ${name} ${data}`)
    }
  })
})

const most = 2n ** 256n - 1n
const wrapping = parseAbi([
  'function multicall(bytes[] data)',
  'function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures)',
])
const multicall = (...calls: readonly Hex[]): Hex =>
  encodeFunctionData({ abi: wrapping, functionName: 'multicall', args: [calls] })
const rawness = ({ isKnown, isRaw }: Outflow) => ({ isKnown, isRaw })

function execution(change: {
  readonly to: Hex
  readonly value?: bigint
  readonly data?: Hex
  readonly operation?: number
  readonly gasPrice?: bigint
}): Hex {
  const { to, value = 0n, data = '0x', operation = 0, gasPrice = 0n } = change
  return encodeFunctionData({
    ...{ abi: wrapping, functionName: 'execTransaction' },
    args: [to, value, data, operation, 0n, 0n, gasPrice, bob, bob, `0x${'11'.repeat(65)}`],
  })
}

describe('what leaves by a message', () => {
  it('is nothing when it is a text, however long', () => {
    for (const message of ['', 'Sign in to example.org', 'é'.repeat(1_000), 'a'.repeat(64) + 'b'])
      assert.deepEqual(outflowOfMessage(toUtf8(message)), {
        ...{ isKnown: true, isRaw: false, movements: [], fee: undefined },
      })
  })

  it('is raw when it is or may be a hash, in bytes or written out, or no text at all', () => {
    for (const message of [
      sha256(),
      toUtf8('exactly thirty-two characters, ok'.slice(0, 32)),
      toUtf8('ab'.repeat(32)),
      toUtf8(`0x${'AB'.repeat(32)}\n`),
      new Uint8Array([0xff]),
      concat(sha256(), new Uint8Array([0xc0])),
    ])
      assert.deepEqual(outflowOfMessage(message), {
        ...{ isKnown: false, isRaw: true, movements: [], fee: undefined },
      })
  })
})

describe('what leaves by typed data', () => {
  it('is unknown, and raw where the account itself is handed over', () => {
    for (const name of ['Permit', 'PermitSingle', 'SafeTx', 'OrderComponents', 'Vote'])
      assert.deepEqual(outflowOfTypedData(name), {
        ...{ isKnown: false, isRaw: false, movements: [], fee: undefined },
      })
    for (const name of ['UserOperation', 'PackedUserOperation'])
      assert.equal(outflowOfTypedData(name).isRaw, true)
  })
})

function isEndless(name = '', movement?: { amount: bigint }): boolean {
  return (
    !['transfer', 'piece', 'units'].includes(name) && (movement?.amount ?? 0n) >= 2n ** 96n - 1n
  )
}

/** Viem forgives bytes that follow and dirty padding, so what it reads has to give the same bytes again. */
function readByViem(data: Hex) {
  let read
  try {
    read = decodeFunctionData({ abi, data })
    if (encodeFunctionData({ abi, ...read } as never) !== data) return undefined
  } catch (error) {
    assert.ok(error instanceof Error)
    return undefined
  }
  const args = read.args as readonly unknown[]
  const name = nameOf(read.functionName, args)
  const [kind, to, amount] = [
    { piece: 'Erc721', units: 'Erc1155' }[name] ?? 'Erc20',
    args[['transferFrom', 'permit', 'piece', 'units'].includes(name) ? 1 : 0],
    name === 'piece' ? 1n : args[{ transferFrom: 2, permit: 2, units: 3 }[name] ?? 1],
  ]
  const asset = `EthereumSepolia/${kind}/${contract}`
  return { name, moved: { asset, to: String(to).toLowerCase(), amount: amount as bigint } }
}

/** The three of one name, by what they move. */
function nameOf(functionName: string, args: readonly unknown[]): string {
  if (functionName !== 'safeTransferFrom') return functionName
  if (args.length === 3) return 'piece'
  return args.length === 5 && args[4] === '0x' ? 'units' : functionName
}

/** The same for a number every time: a call, and for one in three a byte of it that is another. */
function generatedCall(run: number): { readonly name: string; readonly data: Hex } {
  let drawn = 0
  const bytes = () => sha256(toUtf8(`${run}/${drawn++}`))
  const below = (limit: number) => Number(new DataView(bytes().buffer).getUint32(0)) % limit
  const hex = (size: number): Hex => `0x${Buffer.from(bytes().subarray(0, size)).toString('hex')}`
  const amount = () => BigInt(hex(32)) >> BigInt(below(257))
  const item = abi[below(abi.length)]
  assert.ok(item)
  const valueOf = (type: string): unknown => {
    if (type === 'address') return hex(20)
    if (type === 'bool') return below(2) === 1
    if (type === 'uint8') return below(256)
    if (type === 'bytes32') return hex(32)
    if (type === 'bytes') return below(2) === 1 ? '0x' : hex(below(33))
    if (type === 'bytes[]') return [hex(below(33)), transfer]
    if (type === 'tuple[]') return [{ target: hex(20), allowFailure: false, callData: transfer }]
    return amount()
  }
  const args = item.inputs.map(({ type }) => valueOf(type))
  const call = { abi: [item], functionName: item.name, args } as never
  const data: Hex = encodeFunctionData(call)
  if (below(3) > 0) return { name: item.name, data }
  // At least one byte stays: no data at all is a plain transfer.
  const at = 4 + 2 * below(data.length / 2 - 2)
  const cuts = [data.slice(0, at), data + hex(1 + below(32)).slice(2)]
  const flipped = data.slice(0, at) + hex(1).slice(2) + data.slice(at + 2)
  return { name: item.name, data: (cuts[below(4)] ?? flipped) as Hex }
}
