import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { encode } from '@quorate/core/codec'
import { dhDerive } from '../../dh/derive.ts'
import { commitmentCodec } from '../../dkg/messages.ts'
import { startDkg } from '../../dkg/round1.ts'
import { dkgRound2 } from '../../dkg/round2.ts'
import { frostCommit } from '../../frost/nonces.ts'
import { frostSign } from '../../frost/sign.ts'
import type { GroupName } from '../../group/group.ts'
import { groupOf } from '../../group/groups.ts'
import type { Random } from '../../session.ts'
import { taprootCommit, taprootSign } from '../../taproot/sign.ts'
import type { Trial } from './timing.ts'

/**
 * What one party does with its secret in a protocol, from the bytes that came in to those that go out.
 * One class is a secret of next to no bits. All that is public is as the protocol has it: nonces are
 * fresh each time, and so are what they are seen by and the challenges, in both classes alike.
 */
export function stepTrials(): readonly Trial[] {
  return [dealing('secp256k1'), dealing('ed25519'), frost(), taproot(), dh()]
}

const random: Random = (size) => new Uint8Array(randomBytes(size))
const [n, t, self] = [3, 2, 1] as const
const sid = new Uint8Array(32).fill(9)
const message = new Uint8Array(32).fill(7)
const one = { big: new Uint8Array(32).with(31, 1), little: new Uint8Array(32).with(0, 1) }

/** Draws a polynomial, commits to it, and deals its shares: all that it draws is of one class. */
function dealing(group: GroupName): Trial {
  // A polynomial and a nonce, at 64 bytes each, and what is published of 32.
  const draws = t + 3
  const size = 64
  const lowest = group === 'ed25519' ? 0 : size - 1
  const fixed = new Uint8Array(draws * size)
  for (let i = 0; i < draws; i++) fixed[i * size + lowest] = 1
  const inbox = [2, 3].map((from) => ({
    ...{ from, to: '*' as const },
    body: encode(commitmentCodec, { commitment: message }),
  }))
  return {
    name: `DKG on ${group}, both rounds of a dealer: ones or random`,
    fixed: [fixed],
    work(drawn = fixed) {
      let at = 0
      const draw: Random = (length) => drawn.slice(at, (at += length))
      const first = startDkg({ sid, group, n, t, self }, draw)
      assert(first.kind === 'next')
      assert(dkgRound2(first.state, inbox).kind === 'next')
    },
  }
}

function frost(): Trial {
  const { publicKey, theirs } = quorumOf('ed25519')
  return {
    name: 'FROST on ed25519, both rounds: a share of one or random',
    fixed: [one.little],
    work(share = one.little) {
      // Below the order: it has 252 bits and a little more.
      const secret = share.with(31, (share[31] ?? 0) & 0x0f)
      const { nonces, commitment } = frostCommit({ secret, hedge: sid }, random)
      const commitments = new Map([[self, commitment] as const, theirs])
      const keyShare = { self, n, t, secret, publicKey }
      assert(frostSign({ keyShare, quorum: [1, 2], commitments, message, nonces }).ok)
    },
  }
}

function taproot(): Trial {
  const { publicKey, theirs } = quorumOf('secp256k1')
  const spend = { birth: 'taproot', merkleRoot: message } as const
  return {
    name: 'Taproot, both rounds: a share of one or random',
    fixed: [one.big],
    work(secret = one.big) {
      const { nonces, commitment } = taprootCommit({ secret, hedge: sid }, random)
      const commitments = new Map([[self, commitment] as const, theirs])
      const keyShare = { self, n, t, secret, publicKey }
      assert(taprootSign({ keyShare, quorum: [1, 2], commitments, message, nonces, ...spend }).ok)
    },
  }
}

function dh(): Trial {
  const { publicKey } = quorumOf('secp256k1')
  const asked = { domain: sid, seed: message, sid }
  return {
    name: 'DH, its one round: a share of one or random',
    fixed: [one.big],
    work(secret = one.big) {
      const keyShare = { self, secret, publicKey, publicShares: [publicKey] }
      assert(dhDerive({ ...asked, keyShare }, random).ok)
    },
  }
}

/** A key, whose secret nobody asks for, and what the other party of a quorum has sent. */
function quorumOf(name: GroupName) {
  const group = groupOf(name)
  const point = () => group.encode(group.multiplyBaseBySecret(group.randomSecret(random)))
  const theirs = [2, new Uint8Array([...point(), ...point()])] as const
  return { publicKey: point(), theirs }
}
