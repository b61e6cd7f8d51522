import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import {
  keccak256,
  parseTransaction,
  recoverMessageAddress,
  recoverTransactionAddress,
  recoverTypedDataAddress,
  serializeTransaction,
  toHex,
  type TransactionSerialized,
} from 'viem'
import { recoverAuthorizationAddress } from 'viem/utils'
import { unsignedBytes } from '../chain.ts'
import type { Platform } from '../platform.ts'
import { ethereumWallet } from './wallets.ts'

const to = `0x${'ab'.repeat(20)}` as const

export function walletSignatures(platform: Platform): void {
  describe('signatures of Ethereum wallets, recovered by viem', () => {
    it('of a message (EIP-191)', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await ethereumWallet(sdk)
      const raw = toUtf8('I was here')
      const body = { kind: 'Message', message: toHex(raw) } as const
      const signed = await sdk.wallets.generateSignature({ walletId, body })
      const signature = encodedOf(signed)
      assert.equal(await recoverMessageAddress({ message: { raw }, signature }), address)
      assert.equal(signed.network, 'EthereumSepolia')
    })

    it('of a message by its own name (Eip191), and of a delegation (EIP-7702)', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address, signingKey } = await ethereumWallet(sdk)
      const raw = toUtf8('I was here')
      const named = { kind: 'Eip191', message: toHex(raw) } as const
      const message = await sdk.wallets.generateSignature({ walletId, body: named })
      assert.equal(
        await recoverMessageAddress({ message: { raw }, signature: encodedOf(message) }),
        address,
      )
      // By the key itself, which is told no more than what kind of chain it is.
      const byKey = await sdk.keys.generateSignature({
        ...{ keyId: signingKey.id, body: { ...named, kind: 'Message', blockchainKind: 'Evm' } },
      })
      const keyed = encodedOf(byKey)
      assert.equal(await recoverMessageAddress({ message: { raw }, signature: keyed }), address)
      const delegation = { address: to, nonce: 5, chainId: 11155111 }
      const body = { kind: 'Eip7702', ...delegation } as const
      const signed = await sdk.wallets.generateSignature({ walletId, body })
      const signature = encodedOf(signed)
      const by = await recoverAuthorizationAddress({ authorization: delegation, signature })
      assert.equal(by, address)
      assert.equal(signed.signedData, undefined)
      const elsewhere = { ...body, chainId: 1 }
      await assert.rejects(sdk.wallets.generateSignature({ walletId, body: elsewhere }), isRefusal)
    })

    it('of typed data (EIP-712), nested, with and without the type of the domain', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await ethereumWallet(sdk)
      const { types, domain, message, primaryType } = mail
      for (const given of [types, { EIP712Domain: domainType, ...types }]) {
        const asked = { kind: 'Eip712', types: given, domain, message } as const
        const signed = await sdk.wallets.generateSignature({ walletId, body: asked })
        const recovered = await recoverTypedDataAddress({
          ...{ types, domain, message, primaryType },
          signature: encodedOf(signed),
        })
        assert.equal(recovered, address)
      }
    })
  })
}

export function transactionSignatures(platform: Platform): void {
  describe('signatures of Ethereum transactions, recovered by viem', () => {
    for (const type of [0, 2] as const)
      it(`of a transaction of type ${type}, given as an object`, async () => {
        const sdk = await platform.sdk()
        const { id: walletId, address } = await ethereumWallet(sdk)
        const fees =
          type === 0
            ? { gasPrice: '0x77359400' }
            : { maxFeePerGas: '2000000000', maxPriorityFeePerGas: '1000000000' }
        const transaction = { type, to, value: '7', nonce: 0, gasLimit: '21000', ...fees }
        const body = { kind: 'Transaction', transaction } as const
        const signed = await sdk.wallets.generateSignature({ walletId, body })
        const serialized = serializedOf(signed)
        const by = await recoverTransactionAddress({ serializedTransaction: serialized })
        assert.equal(by, address)
        const read = parseTransaction(serialized)
        assert.deepEqual(
          [read.to, read.value, read.nonce ?? 0, read.gas, read.chainId],
          [to, 7n, 0, 21_000n, 11155111],
        )
      })

    it('of a transaction given as bytes are over exactly these bytes', async () => {
      const sdk = await platform.sdk()
      const { id: walletId, address } = await ethereumWallet(sdk)
      const transaction = unsignedBytes({ nonce: 3, data: '0xc0ffee' })
      const body = { kind: 'Transaction', transaction } as const
      const signed = await sdk.wallets.generateSignature({ walletId, body })
      const serialized = serializedOf(signed)
      assert.equal(await recoverTransactionAddress({ serializedTransaction: serialized }), address)
      const { r, s, yParity, v, ...rest } = parseTransaction(serialized)
      assert.ok(r && s && (yParity !== undefined || v !== undefined))
      assert.equal(keccak256(serializeTransaction(rest)), keccak256(transaction))
    })

    it('are refused for another chain than the one of the wallet', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await ethereumWallet(sdk)
      const transaction = unsignedBytes({ chainId: 1 })
      const body = { kind: 'Transaction', transaction } as const
      await assert.rejects(sdk.wallets.generateSignature({ walletId, body }), isRefusal)
      const { types, message } = mail
      const domain = { ...mail.domain, chainId: 1 }
      const typed = { kind: 'Eip712', types, domain, message } as const
      await assert.rejects(sdk.wallets.generateSignature({ walletId, body: typed }), isRefusal)
    })

    it('are read again and listed', async () => {
      const sdk = await platform.sdk()
      const { id: walletId } = await ethereumWallet(sdk)
      const body = { kind: 'Message', message: '0x01' } as const
      const signed = await sdk.wallets.generateSignature({ walletId, body })
      const { id: signatureId } = signed
      assert.deepEqual(await sdk.wallets.getSignature({ walletId, signatureId }), signed)
      const { items } = await sdk.wallets.listSignatures({ walletId })
      assert.deepEqual(
        items.map(({ id }) => id),
        [signatureId],
      )
    })
  })
}

type Signed = {
  readonly signature?: { readonly encoded?: string | undefined } | undefined
  readonly signedData?: string | undefined
}

function encodedOf({ signature }: Signed): `0x${string}` {
  const { encoded = '' } = signature ?? {}
  assert.match(encoded, /^0x[0-9a-f]{128}1[bc]$/)
  return encoded as `0x${string}`
}

function serializedOf({ signedData = '' }: Signed): TransactionSerialized {
  assert.match(signedData, /^0x[0-9a-f]+$/)
  return signedData as TransactionSerialized
}

function isRefusal(error: unknown): boolean {
  const { httpStatus } = Object(error)
  return httpStatus === 400 || httpStatus === 403
}

const domainType = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
]

type TypedData = {
  readonly primaryType: string
  readonly types: Record<string, { name: string; type: string }[]>
  readonly domain: {
    readonly name: string
    readonly version: string
    readonly chainId: number
    readonly verifyingContract: `0x${string}`
  }
  readonly message: Record<string, unknown>
}

/** In the shape of the example in EIP-712. */
const mail: TypedData = {
  primaryType: 'Letter',
  types: {
    Letter: [
      { name: 'from', type: 'Correspondent' },
      { name: 'to', type: 'Correspondent[]' },
      { name: 'text', type: 'string' },
      { name: 'stamp', type: 'uint256' },
    ],
    Correspondent: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
  },
  domain: { name: 'Post', version: '1', chainId: 11155111, verifyingContract: to },
  message: {
    from: { name: 'Ann', wallet: `0x${'01'.repeat(20)}` },
    to: [
      { name: 'Ben', wallet: `0x${'02'.repeat(20)}` },
      { name: 'Cyd', wallet: `0x${'03'.repeat(20)}` },
    ],
    text: 'All is well.',
    stamp: 42,
  },
}
