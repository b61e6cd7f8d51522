import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { GroupName } from '../group/group.ts'
import { nobleGroups } from '../group/noble.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import { attackOn, seeded } from './attacker.ts'
import type { Delivery } from './ceremony.ts'

/**
 * Two of three, with the randomness of `seeded`. Whoever changes a byte of a message or the inside
 * of a hash changes these figures, and thereby says that old and new signers cannot meet.
 */
const frozen: Readonly<
  Record<GroupName, { messages: string; transcript: string; chainCode: string }>
> = {
  secp256k1: {
    messages: '653153e6ff9def15dfb336bf8f8fcf3d38e983f569e2638aa23ec8b56f86a72c',
    transcript: 'b734b39bc38efd5360855f2aa92ed08db7a4d1090115587007b81161fd13885c',
    chainCode: '03ce0697c5193ec4f72b223db0e61489e30450fc0abf46161aae7e892e2d124c',
  },
  ed25519: {
    messages: 'efa30ecd721dbf40fb9d18874773fd16f4506e9f07f0c6359232497a660c3861',
    transcript: '769cea9bd69946591a44bfc4c9f576f57addbf15f2736c56525cf91c21d6c16b',
    chainCode: '0f8224862a9b7d27fc830df3363113dec698d405b5c0e029c55bcfe2687a27a8',
  },
  stark: {
    messages: 'fc3dbde8035de67be041144cf79354fbb7e5779e189070453ed2f3d7b9037400',
    transcript: '3962c3e9e8fd298dd64797a443a7d8a57f301858c5fcc8d55fba362579a441e5',
    chainCode: '123bf75274d1de68ef12a8487bc9c22a121cb75c5d5a98f0bce7da0ccf56a4ba',
  },
}

describe('the bytes of key generation', () => {
  for (const name of ['secp256k1', 'ed25519', 'stark'] as const)
    it(`are what they were, on ${name}`, () => {
      const bodies: Uint8Array[] = []
      const carry = (delivery: Delivery): readonly Delivery[] => {
        bodies.push(delivery.body)
        return [delivery]
      }
      const ending = attackOn(name, { carry }).get(1)
      assert.ok(ending?.kind === 'done')
      const { transcript, chainCode, publicKey } = ending.result
      assert.deepEqual(
        {
          messages: toHex(sha256(...bodies)),
          transcript: toHex(transcript),
          chainCode: toHex(chainCode),
        },
        frozen[name],
      )
      // The key is the sum of the first number that each party drew.
      const group = nobleGroups[name]
      const secret = [1, 2, 3].reduce((sum, party) => sum + randomNumber(group, seeded(party)), 0n)
      assert.deepEqual(publicKey, group.encode(group.multiplyBase(group.mod(secret))))
    })
})
