import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bigToBytes, bytesToBig, concat, fromHex } from '@quorate/core/bytes'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { encodeFunctionData, hashTypedData, type Hex, keccak256, parseAbi, stringToHex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { hashAuthorization } from 'viem/utils'
import type { Rpc } from '../../adapter.ts'
import { httpNode } from '../../nodes.ts'
import { ethereumSepolia as network } from '../../testing/sepolia.ts'
import { evm, type EvmSignature, pendingNonce } from '../index.ts'
import { toHexText, type EvmAuthorization } from '../transaction.ts'
import {
  accountAddress,
  type AccountOperation,
  type AccountTerms,
  delegationOf,
  deployment,
  executeHash,
  isDeployed,
  isUsed,
  relayData,
} from './account.ts'

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const chainId = BigInt(network.chainId)

let node: RunningEthereum
let rpc: Rpc
let sponsor: { readonly secret: Uint8Array; readonly address: Hex }
const dataDir = mkdtempSync(join(tmpdir(), 'account-'))
let drawn = 0

before(async () => {
  node = await startEthereum({ dataDir })
  rpc = httpNode({ url: node.rpcUrl, network: network.id })
  sponsor = ownerOf(fromHex(node.fundedPrivateKey.slice(2)))
  await rpc('evm_setIntervalMining', [0])
  await rpc('evm_setAutomine', [true])
  assert.equal(await isDeployed(rpc), false)
  await succeeds(deployment())
})

after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('an account whose fees somebody else pays', () => {
  it('stands where it was said, with the code that is pinned', async () => {
    assert.equal(await isDeployed(rpc), true)
  })

  it('does what its key has signed, all of it, in the transaction by which it gets its code', async () => {
    const owner = await newOwner()
    const before = await evm.balance(rpc, owner.address)
    assert.equal(await delegationOf(rpc, owner.address), 'none')
    const terms = termsOf(owner, [pay(3n), pay(4n)])
    const delegated = await delegation(owner)
    await succeeds({ to: accountAddress, data: relay(owner, terms) }, [delegated])
    assert.equal(await delegationOf(rpc, owner.address), 'ours')
    // Nothing else has left: the fees are the sponsor's.
    assert.equal(await evm.balance(rpc, owner.address), before - 7n)
    assert.equal(await isUsed(rpc, owner.address, terms.nonce), true)
    assert.equal(await isUsed(rpc, owner.address, newNonce()), false)
    const next = termsOf(owner, [pay(5n)])
    await succeeds({ to: accountAddress, data: relay(owner, next) })
    assert.equal(await evm.balance(rpc, owner.address), before - 12n)
  })

  it('says so with an event that names the account and what was carried out', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    const receipt = await succeeds({ to: accountAddress, data: relay(owner, terms) })
    const logs = receipt.logs.map(({ address, topics }) => [address.toLowerCase(), ...topics])
    const event = keccak256(stringToHex('Executed(bytes32)'))
    assert.deepEqual(logs, [[owner.address.toLowerCase(), event, toHexText(terms.nonce)]])
  })

  it('keeps what it has done where no other code of the account keeps anything', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    await succeeds({ to: accountAddress, data: relay(owner, terms) })
    // ERC-7201, and Solidity's layout of a mapping.
    const name = bytesToBig(bytesOf(keccak256(stringToHex('quorate.account'))))
    const root = bytesToBig(bytesOf(keccak256(toHexText(bigToBytes(name - 1n, 32))))) & ~0xffn
    const slot = keccak256(toHexText(concat(terms.nonce, bigToBytes(root, 32))))
    const kept = await rpc('eth_getStorageAt', [owner.address, slot, 'latest'])
    assert.equal(BigInt(String(kept)), 1n)
  })

  it('does nothing twice', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(3n)])
    await succeeds({ to: accountAddress, data: relay(owner, terms) })
    await reverts('Used(bytes32)', { data: relay(owner, terms) })
  })

  it('does nothing twice if it is called again while it does it', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const again: Hex = '0x00000000000000000000000000000000000a6a14'
    const terms = termsOf(owner, [{ to: again, value: 9n, data: new Uint8Array() }])
    const data = relayData(terms, signedBy(owner, executeHash(terms, { chainId, sponsor: again })))
    // Whatever it is called with, it calls the contract with the data behind its code, and swallows failures.
    const size = bigToBytes(BigInt(data.length), 2)
    const code = concat(
      ...[fromHex('61'), size, fromHex('60265f39'), fromHex('5f5f61'), size, fromHex('5f5f73')],
      ...[bytesOf(accountAddress.toLowerCase()), fromHex('5af100'), data],
    )
    await rpc('anvil_setCode', [again, toHexText(code)])
    const before = await evm.balance(rpc, owner.address)
    await succeeds({ to: again, data: new Uint8Array() })
    assert.equal(await isUsed(rpc, owner.address, terms.nonce), true)
    assert.equal(await evm.balance(rpc, owner.address), before - 9n)
  })

  it('does all operations or none, and says why in the words of the one that failed', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const coin = await deploy(rpc, 'Coin', ['Coin', 'CN', 6])
    const transfer = encodeFunctionData({
      ...{ abi: parseAbi(['function transfer(address to, uint256 value)']) },
      args: [stranger, 1n],
    })
    const poor = { to: coin.address, value: 0n, data: bytesOf(transfer) }
    const terms = termsOf(owner, [pay(3n), poor])
    await reverts('Short(address,uint256,uint256)', { data: relay(owner, terms) })
    await fails({ to: accountAddress, data: relay(owner, terms) })
    assert.equal(await isUsed(rpc, owner.address, terms.nonce), false)
    const dear = termsOf(owner, [pay(10n ** 30n)])
    await reverts('OperationFailed(uint256)', { data: relay(owner, dear) })
    await coin.invoke('mint', [owner.address, 1n])
    await succeeds({ to: accountAddress, data: relay(owner, terms) })
    assert.equal(await coin.ask('balanceOf', [stranger]), 1n)
  })

  it('does none of what is cut short, be it signed', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    const whole = relay(owner, terms)
    const [start, size] = [4 + 7 * 32, 84]
    for (const left of [83, 20, 1]) {
      const { r, s, yParity } = signedBy(
        owner,
        hashOfCut(terms, whole.subarray(start, start + left)),
      )
      const cut = whole.slice()
      cut.fill(0, start + left, start + size)
      cut.set(bigToBytes(r, 32), 4 + 4 * 32)
      cut.set(bigToBytes((BigInt(yParity) << 255n) | s, 32), 4 + 5 * 32)
      cut.set(bigToBytes(BigInt(left), 32), 4 + 6 * 32)
      // Solidity says nothing when a part of calldata lies beyond its end.
      await reverts('', { data: cut })
    }
  })
})

describe('nobody else makes an account do anything', () => {
  it('not after the deadline', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const latest = await newestTime()
    const late = { ...termsOf(owner, [pay(1n)]), deadline: latest - 1n }
    await reverts('Expired(uint256)', { data: relay(owner, late) })
    const moved = { ...late, deadline: latest + 600n }
    const data = relayData(
      moved,
      signedBy(owner, executeHash(late, { chainId, sponsor: sponsor.address })),
    )
    await reverts('NotSigned()', { data })
  })

  it('not with the signature for another account, other operations, another nonce or another chain', async () => {
    const [owner, other] = [await newOwner(), await newOwner()]
    await delegate(owner)
    await delegate(other)
    const terms = termsOf(owner, [pay(1n)])
    const named = { chainId, sponsor: sponsor.address }
    const signature = signedBy(owner, executeHash(terms, named))
    const forged = [
      relayData({ ...terms, account: other.address }, signature),
      relayData({ ...terms, operations: [pay(2n)] }, signature),
      relayData({ ...terms, operations: [pay(1n), pay(1n)] }, signature),
      relayData({ ...terms, operations: [] }, signature),
      relayData({ ...terms, nonce: newNonce() }, signature),
      relayData(terms, signedBy(owner, executeHash(terms, { ...named, chainId: 1n }))),
      relayData(terms, signedBy(other, executeHash(terms, named))),
      relayData(terms, { ...signature, yParity: signature.yParity === 0 ? 1 : 0 }),
      // The same signature, said otherwise.
      relayData(terms, { ...signature, r: 0n, s: 0n }),
    ]
    for (const data of forged) await reverts('NotSigned()', { data })
    await succeeds({ to: accountAddress, data: relayData(terms, signature) })
  })

  it('not on a chain that is a copy of the one for which it was signed', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    const there = executeHash(terms, { chainId: 1n, sponsor: sponsor.address })
    await rpc('anvil_setChainId', [1])
    try {
      await reverts('NotSigned()', { data: relay(owner, terms) })
      const data = toHexText(relayData(terms, signedBy(owner, there)))
      const call = { from: sponsor.address, to: accountAddress, data }
      assert.equal(await rpc('eth_call', [call, 'latest']), '0x')
    } finally {
      await rpc('anvil_setChainId', [Number(chainId)])
    }
  })

  it('not with the higher of the two values of s that one signature can have', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const hash = toHexText(bigToBytes(7n, 32))
    const { r, s, yParity } = signedBy(owner, bytesOf(hash))
    const low = concat(bigToBytes(r, 32), bigToBytes(s, 32), new Uint8Array([27 + yParity]))
    const high = concat(
      bigToBytes(r, 32),
      bigToBytes(order - s, 32),
      new Uint8Array([28 - yParity]),
    )
    assert.equal(await validity(owner.address, hash, low), '0x1626ba7e')
    assert.equal(await validity(owner.address, hash, high), '0xffffffff')
  })

  it('not who is not the sponsor that was named, be it with the very same bytes', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    await reverts('NotSigned()', { data: relay(owner, terms), from: stranger })
  })

  it('not past the contract at its own address', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const terms = termsOf(owner, [pay(1n)])
    const data = relay(owner, terms)
    // Addressed to the account itself, whose code would then call itself.
    await reverts('NotRelayed()', { data, to: owner.address })
    const { r, s, yParity } = signedBy(
      owner,
      executeHash(terms, { chainId, sponsor: sponsor.address }),
    )
    const direct = encodeFunctionData({
      abi: parseAbi(['function execute(bytes, bytes32, uint256, address, bytes32, bytes32)']),
      args: [
        ...([toHexText(data.subarray(4 + 7 * 32, -12)), toHexText(terms.nonce)] as const),
        ...([terms.deadline, sponsor.address, toHexText(bigToBytes(r, 32))] as const),
        toHexText(bigToBytes((BigInt(yParity) << 255n) | s, 32)),
      ],
    })
    await reverts('NotRelayed()', { data: bytesOf(direct), to: owner.address })
  })

  it('and for an account without its code nothing seems to be done', async () => {
    const owner = await newOwner()
    const terms = termsOf(owner, [pay(1n)])
    await reverts('NotDelegated(address)', { data: relay(owner, terms) })
    const elsewhere = await deploy(rpc, 'Coin', ['Coin', 'CN', 6])
    await delegate(owner, elsewhere.address)
    assert.equal(await delegationOf(rpc, owner.address), 'other')
    await reverts('NotDelegated(address)', { data: relay(owner, terms) })
  })
})

describe('an account that has code', () => {
  it('still takes money and tokens of every kind', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const before = await evm.balance(rpc, owner.address)
    await succeeds({ to: owner.address, data: new Uint8Array(), value: 5n })
    assert.equal(await evm.balance(rpc, owner.address), before + 5n)
    const [first] = (await rpc('eth_accounts', [])) as Hex[]
    const pieces = await deploy(rpc, 'Pieces')
    await pieces.invoke('mint', [first, 1n])
    await pieces.invoke('safeTransferFrom', [first, owner.address, 1n])
    assert.equal(await pieces.ask('ownerOf', [1n]), BigInt(owner.address))
    for (const id of ['0x01ffc9a7', '0x150b7a02', '0x4e2312e0', '0x1626ba7e'])
      assert.equal(await supports(owner.address, id as Hex), true)
    assert.equal(await supports(owner.address, '0xffffffff'), false)
  })

  it('answers both questions that ERC-1155 has for receivers', async () => {
    const owner = await newOwner()
    await delegate(owner)
    const receiver = parseAbi([
      'function onERC1155Received(address, address, uint256, uint256, bytes)',
      'function onERC1155BatchReceived(address, address, uint256[], uint256[], bytes)',
    ])
    const one = encodeFunctionData({
      ...{ abi: receiver, functionName: 'onERC1155Received' },
      args: [stranger, stranger, 1n, 2n, '0x'],
    })
    const many = encodeFunctionData({
      ...{ abi: receiver, functionName: 'onERC1155BatchReceived' },
      args: [stranger, stranger, [1n], [2n], '0x'],
    })
    for (const data of [one, many]) {
      const answer = String(await rpc('eth_call', [{ to: owner.address, data }, 'latest']))
      assert.equal(answer.slice(0, 10), data.slice(0, 10))
    }
  })

  it('tells whoever asks whether a signature is its key’s (ERC-1271)', async () => {
    const [owner, other] = [await newOwner(), await newOwner()]
    await delegate(owner)
    const hash = toHexText(newNonce())
    const own = encoded(signedBy(owner, bytesOf(hash)))
    assert.equal(await validity(owner.address, hash, own), '0x1626ba7e')
    const foreign = encoded(signedBy(other, bytesOf(hash)))
    for (const wrong of [foreign, own.subarray(0, 64), new Uint8Array(65), new Uint8Array()])
      assert.equal(await validity(owner.address, hash, wrong), '0xffffffff')
  })
})

type Owner = { readonly secret: Uint8Array; readonly address: Hex }

function ownerOf(secret: Uint8Array): Owner {
  return { secret, address: privateKeyToAddress(toHexText(secret)) }
}

async function newOwner(): Promise<Owner> {
  const owner = ownerOf(secp256k1.utils.randomSecretKey())
  await rpc('anvil_setBalance', [owner.address, '0xde0b6b3a7640000'])
  return owner
}

function newNonce(): Uint8Array {
  drawn += 1
  return bytesOf(keccak256(stringToHex(`nonce ${drawn}`)))
}

function pay(value: bigint): AccountOperation {
  return { to: stranger, value, data: new Uint8Array() }
}

function termsOf(owner: Owner, operations: readonly AccountOperation[]): AccountTerms {
  return { account: owner.address, operations, nonce: newNonce(), deadline: 2n ** 40n }
}

function relay(owner: Owner, terms: AccountTerms): Uint8Array {
  return relayData(
    terms,
    signedBy(owner, executeHash(terms, { chainId, sponsor: sponsor.address })),
  )
}

function hashOfCut({ nonce, deadline, account }: AccountTerms, operations: Uint8Array): Uint8Array {
  const hash = hashTypedData({
    domain: { chainId, verifyingContract: account as Hex },
    types: {
      Execute: [
        { name: 'operations', type: 'bytes32' },
        { name: 'nonce', type: 'bytes32' },
        { name: 'deadline', type: 'uint256' },
        { name: 'sponsor', type: 'address' },
      ],
    },
    primaryType: 'Execute',
    message: {
      ...{ operations: keccak256(toHexText(operations)), nonce: toHexText(nonce), deadline },
      sponsor: sponsor.address,
    },
  })
  return bytesOf(hash)
}

/** Stands where the signers stand: it sees a digest and nothing else. */
function signedBy({ secret }: Owner, digest: Uint8Array): EvmSignature {
  const bytes = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  const [r, s] = [bytesToBig(bytes.subarray(1, 33)), bytesToBig(bytes.subarray(33))]
  return { r, s, yParity: bytes[0] === 1 ? 1 : 0 }
}

function encoded({ r, s, yParity }: EvmSignature): Uint8Array {
  return concat(bigToBytes(r, 32), bigToBytes(s, 32), new Uint8Array([27 + yParity]))
}

async function delegation(owner: Owner, address: Hex = accountAddress): Promise<EvmAuthorization> {
  const nonce = Number(await pendingNonce(rpc, owner.address))
  const hash = hashAuthorization({ chainId: Number(chainId), address, nonce })
  const signed = signedBy(owner, bytesOf(hash))
  return { chainId, address, nonce: BigInt(nonce), ...signed, yParity: BigInt(signed.yParity) }
}

async function delegate(owner: Owner, address?: Hex): Promise<void> {
  await succeeds({ to: stranger, data: new Uint8Array() }, [await delegation(owner, address)])
}

type Call = { readonly to: string; readonly data: Uint8Array; readonly value?: bigint }
type Receipt = {
  readonly status: string
  readonly logs: readonly { readonly address: string; readonly topics: readonly string[] }[]
}

/** The sponsor's transaction. */
async function sent(call: Call, authorizations?: readonly EvmAuthorization[]): Promise<Receipt> {
  const kind =
    authorizations === undefined ? ({ type: 2 } as const) : ({ type: 4, authorizations } as const)
  const ask = { value: 0n, ...call, ...kind, from: sponsor.address, priority: 'Fast' } as const
  const nonce = await pendingNonce(rpc, sponsor.address)
  const fees = { maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n }
  const unsigned = evm.build(network, ask, { family: 'evm', nonce, gasLimit: 2_000_000n, ...fees })
  const signed = evm.assemble(unsigned.bytes, signedBy(sponsor, unsigned.digest))
  assert.deepEqual(await evm.broadcast(rpc, signed), { kind: 'accepted' })
  await rpc('anvil_mine', ['0x1'])
  return (await rpc('eth_getTransactionReceipt', [signed.hash])) as Receipt
}

async function succeeds(...call: Parameters<typeof sent>): Promise<Receipt> {
  const receipt = await sent(...call)
  assert.equal(receipt.status, '0x1')
  return receipt
}

async function fails(...call: Parameters<typeof sent>): Promise<void> {
  assert.equal((await sent(...call)).status, '0x0')
}

/** What a node says of a call that reverts, with the bytes that it reverted with. */
async function reverts(
  error: string,
  { data, from = sponsor.address, to = accountAddress }: { data: Uint8Array; from?: Hex; to?: Hex },
): Promise<void> {
  const params = [{ from, to, data: toHexText(data) }, 'latest']
  const answer = await fetch(node.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_call', params }),
  })
  const said = (await answer.json()) as { readonly error?: { readonly data?: string } }
  const expected = error === '' ? '0x' : keccak256(stringToHex(error)).slice(0, 10)
  assert.equal(said.error?.data?.slice(0, 10), expected, error)
}

async function validity(account: Hex, hash: Hex, signature: Uint8Array): Promise<string> {
  const data = encodeFunctionData({
    abi: parseAbi(['function isValidSignature(bytes32, bytes)']),
    args: [hash, toHexText(signature)],
  })
  return String(await rpc('eth_call', [{ to: account, data }, 'latest'])).slice(0, 10)
}

async function supports(account: Hex, id: Hex): Promise<boolean> {
  const data = encodeFunctionData({
    ...{ abi: parseAbi(['function supportsInterface(bytes4)']), args: [id] },
  })
  return BigInt(String(await rpc('eth_call', [{ to: account, data }, 'latest']))) === 1n
}

async function newestTime(): Promise<bigint> {
  const block = (await rpc('eth_getBlockByNumber', ['latest', false])) as { timestamp: string }
  return BigInt(block.timestamp)
}

function bytesOf(text: string): Uint8Array {
  return fromHex(text.slice(2).toLowerCase())
}
