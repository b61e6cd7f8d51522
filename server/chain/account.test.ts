import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accountAddress, executeHash, relayData } from '@quorate/chains/evm/account/account'
import { sha256 } from '@quorate/core/hash'
import { bytesToBig, toHex, toUtf8 } from '@quorate/core/bytes'
import {
  accountContract,
  encodeOperations,
  executeDigest,
  relayCall,
} from '@quorate/effects/evm/account'
import { checksummed } from '@quorate/effects/evm/address'

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
