import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import {
  accountAddress,
  delegationOf,
  deployment,
  executeHash,
  isDeployed,
  relayData,
} from '@quorate/chains/evm/account/account'
import { evm, pendingNonce } from '@quorate/chains/evm/index'
import { httpNode } from '@quorate/chains/nodes'
import { sha256 } from '@quorate/core/hash'
import { bytesToBig, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import {
  accountContract,
  encodeOperations,
  executeDigest,
  relayCall,
} from '@quorate/effects/evm/account'
import { addressOfKey, checksummed } from '@quorate/effects/evm/address'
import { attachSignature, decodeUnsigned } from '@quorate/effects/evm/transaction'
import type { AccountSignature, Facts } from '@quorate/effects/facts'
import { readIntent } from '@quorate/effects/intent'
import { tableNetworks } from '@quorate/effects/networks'
import { plan, planSponsorship } from '@quorate/effects/plan'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'

/** Enough for every remainder of a length by 32, with one operation and with many. */
const cases = 256

describe('the account contract, as the server calls it and as signers sign for it', () => {
  it('is one and the same', () => {
    assert.equal(checksummed(accountContract), accountAddress)
  })

  it(`is asked for the same in ${cases} cases, by ways that know nothing of each other`, () => {
    for (let i = 0; i < cases; i++) {
      const drawn = (name: string) => sha256(toUtf8(`${i} ${name}`))
      const address = (name: string) => drawn(name).subarray(12)
      const operations = Array.from({ length: i % 17 }, (_, n) => ({
        to: address(`to ${n}`),
        value: n % 3 === 0 ? 0n : bytesToBig(drawn(`value ${n}`)),
        data: new Uint8Array(n === 0 ? i : (i * n) % 97).fill(n + 1),
      }))
      const [account, sponsor, nonce] = [address('account'), address('sponsor'), drawn('nonce')]
      const deadline = bytesToBig(drawn('deadline')) >> BigInt(i)
      const chainId = bytesToBig(drawn('chain')) >> 200n
      const [r, s] = [bytesToBig(drawn('r')), bytesToBig(drawn('s')) >> 1n]
      const signature = { r, s, yParity: i % 2 === 0 ? 0 : 1 } as const
      const ours = { account, operations: encodeOperations(operations), nonce, deadline }
      const theirs = {
        account: checksummed(account),
        operations: operations.map(({ to, ...rest }) => ({ to: checksummed(to), ...rest })),
        ...{ nonce, deadline },
      }
      assert.equal(
        toHex(executeDigest(ours, { chainId, sponsor })),
        toHex(executeHash(theirs, { chainId, sponsor: checksummed(sponsor) })),
      )
      assert.equal(toHex(relayCall(ours, signature)), toHex(relayData(theirs, signature)))
    }
  })
})

const network = tableNetworks.find('EthereumSepolia') ?? assert.fail()
const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const dataDir = mkdtempSync(join(tmpdir(), 'sponsored-'))
let node: RunningEthereum

before(async () => {
  node = await startEthereum({ dataDir })
})
after(async () => {
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

describe('what signers plan for somebody who pays and for one who is paid for', () => {
  it('is carried out by a real chain, once with the account’s delegation and once without', async () => {
    const rpc = httpNode({ url: node.rpcUrl, network: network.id })
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [true])
    const [first] = (await rpc('eth_accounts', [])) as string[]
    const { to, data } = deployment()
    await rpc('eth_sendTransaction', [{ from: first, to, data: `0x${toHex(data)}` }])
    // By itself, the node mines a moment after it has answered.
    await rpc('anvil_mine', ['0x1'])
    assert.ok(await isDeployed(rpc))
    const [secret, payer] = [
      secp256k1.utils.randomSecretKey(),
      fromHex(node.fundedPrivateKey.slice(2)),
    ]
    const account = addressOfKey(secp256k1.getPublicKey(secret, true))
    await rpc('anvil_setBalance', [account, '0xa'])
    for (const [i, delegationNonce] of [0n, undefined].entries()) {
      const facts = { family: 'sponsored', ...(i === 0 ? { delegationNonce: 0n } : {}) } as const
      const sponsored = {
        ...{ request: new Uint8Array(32).fill(i), executeBefore: Date.now() + 600_000 },
        sponsor: secp256k1.getPublicKey(payer, true),
      }
      const asked = { network, publicKey: secp256k1.getPublicKey(secret, true), sponsored, intent }
      const inner = plan({ ...asked, scheme: 'ECDSA', curve: 'secp256k1', facts })
      const [execute, delegation] = signedAll(inner, secret)
      if (execute === undefined) return assert.fail()
      const nonce = await pendingNonce(rpc, addressOfKey(sponsored.sponsor))
      const paying: Facts = {
        ...{ family: 'sponsorship', nonce, gasLimit: 300_000n, inner: execute },
        ...{ maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 10n ** 9n },
        ...(delegationNonce === undefined || delegation === undefined
          ? {}
          : { delegation: { nonce: delegationNonce, signature: delegation } }),
      }
      const outer = planSponsorship({ ...asked, facts: paying })
      const [signature] = signedAll(outer, payer)
      const unsigned = outer.ok ? outer.effect.unsigned : undefined
      if (signature === undefined || unsigned === undefined) return assert.fail()
      const { bytes, hash } = attachSignature(decodeUnsigned(unsigned), signature)
      const sent = { hash: `0x${toHex(hash)}`, bytes }
      assert.deepEqual(await evm.broadcast(rpc, sent), { kind: 'accepted' })
      await rpc('anvil_mine', ['0x1'])
      assert.equal(await delegationOf(rpc, account), 'ours')
      assert.equal(await evm.balance(rpc, account), 10n - 3n * BigInt(i + 1))
    }
  })
})

const body = { kind: 'Native', to: stranger, amount: '3', feeSponsorId: 'fs-1' }
const read = readIntent('transfer', JSON.stringify(body))
const intent = read.ok ? read.intent : assert.fail(read.reason)

function signedAll(planned: ReturnType<typeof plan>, secret: Uint8Array) {
  if (!planned.ok) return assert.fail(planned.reason)
  return planned.effect.signing.map((one): AccountSignature => {
    const digest = 'digest' in one ? one.digest : assert.fail()
    const bytes = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
    const [r, s] = [bytesToBig(bytes.subarray(1, 33)), bytesToBig(bytes.subarray(33))]
    return { r, s, yParity: bytes[0] === 1 ? 1 : 0 }
  })
}
