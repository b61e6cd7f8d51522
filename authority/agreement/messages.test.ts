import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { rawPublicKey, signEd25519, verifyEd25519 } from '../ed25519.ts'
import { signStatement } from './exchange.ts'
import {
  type Certificate,
  type Seal,
  type Signed,
  type Trust,
  type Vote,
  certificateCodec,
  certificateOf,
  conflicting,
  lockCodec,
  lockOf,
  openedBy,
  promiseProofCodec,
  sealsOf,
  statementBytes,
  verifyCertificate,
  verifyLock,
  verifyPromise,
} from './messages.ts'

const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const keys = [1, 2, 3, 4].map(() => generateKeyPairSync('ed25519'))
const trust: Trust = {
  manifestHash: filled(1),
  n: 4,
  q: 3,
  verify: (signer, bytes, signature) => {
    const key = keys[signer - 1]
    return key !== undefined && verifyEd25519(rawPublicKey(key.publicKey), bytes, signature)
  },
}
const place = {
  manifestHash: filled(1),
  organization: filled(2),
  stream: { kind: 'key', id: filled(3) },
  seq: 5,
  ballot: 2,
} as const
const [x, y] = [filled(4), filled(5)]

describe('a statement', () => {
  it('is signed as these bytes, for ever', () => {
    const vote = {
      kind: 'vote',
      ...place,
      stepHash: x,
      signer: 3,
      bootId: new Uint8Array(16).fill(9),
      storeSequence: 258,
    } as const
    const written = [
      '0000000e71756f726174652f766f74652f31', // the tag, after its length
      '01', // vote
      '01'.repeat(32),
      '02'.repeat(32),
      '03' + '03'.repeat(32), // a key's stream
      '0000000000000005',
      '0000000000000002',
      '04'.repeat(32),
      '03',
      '09'.repeat(16),
      '0000000000000102',
    ]
    assert.equal(toHex(statementBytes(vote)), written.join(''))
  })

  it('of a promise or a head ends in what it says of the place, and who says it', () => {
    const speaker = { signer: 3, bootId: new Uint8Array(16).fill(9), storeSequence: 258 }
    const about = { ...place, previous: filled(6), ...speaker }
    const from = '03' + '09'.repeat(16) + '0000000000000102'
    const locked = { ballot: 1, stepHash: x }
    const cases = [
      [{ kind: 'promise', ...about, lock: undefined }, '00'],
      [{ kind: 'promise', ...about, lock: locked }, '01' + '0000000000000001' + '04'.repeat(32)],
      [{ kind: 'head', ...about, open: true, nonce: undefined }, '01' + '00'],
      [
        { kind: 'head', ...about, open: false, nonce: speaker.bootId },
        '00' + '01' + '09'.repeat(16),
      ],
    ] as const
    for (const [statement, said] of cases)
      assert.ok(toHex(statementBytes(statement)).endsWith('06'.repeat(32) + said + from))
  })

  it('cannot be taken for one of another kind', () => {
    const certificate: Certificate = { ...lock([1, 2, 3]), kind: 'certificate' }
    assert.ok(!verifyCertificate(certificate, trust))
  })
})

describe('a certificate', () => {
  it('is q seals by different signers, in their order', () => {
    assert.ok(verifyCertificate(certificate([1, 2, 4]), trust))
    assert.ok(verifyCertificate(certificate([1, 2, 3, 4]), trust))
    assert.ok(verifyCertificate(certificate([4, 2, 1]), trust), 'sorted when it is made')
  })

  it('is refused with fewer, with a signer twice, or out of order', () => {
    const { voices, ...rest } = certificate([1, 2, 3])
    const [a, b, c] = voices
    assert.ok(a && b && c)
    for (const wrong of [[a, b], [a, b, b], [a, c, b], [a, a, b, c], []])
      assert.ok(!verifyCertificate({ ...rest, voices: wrong }, trust))
  })

  it('is refused when one voice is bad, even if q others are good', () => {
    const { voices, ...rest } = certificate([1, 2, 3, 4])
    const spoiled = voices.map((voice) =>
      voice.signer === 2 ? { ...voice, storeSequence: 9 } : voice,
    )
    assert.ok(!verifyCertificate({ ...rest, voices: spoiled }, trust))
  })

  it('is refused for another step, ballot, place, stream, organization or manifest', () => {
    const good = certificate([1, 2, 3])
    const others: readonly Partial<Certificate>[] = [
      { stepHash: y },
      { ballot: 3 },
      { seq: 6 },
      { stream: { kind: 'user', id: filled(3) } },
      { organization: filled(9) },
      { manifestHash: filled(9) },
    ]
    for (const other of others) assert.ok(!verifyCertificate({ ...good, ...other }, trust))
  })

  it('is refused from signers that the manifest does not have', () => {
    const { voices, ...rest } = certificate([1, 2, 3])
    for (const signer of [0, 5]) {
      const renamed = voices.map((voice, i) => (i === 2 ? { ...voice, signer } : voice))
      assert.ok(!verifyCertificate({ ...rest, voices: renamed }, trust))
    }
    assert.ok(!verifyCertificate(certificate([1, 2, 3]), { ...trust, n: 2, q: 2 }))
  })

  it('survives its encoding, and a lock does not decode as one', () => {
    const good = certificate([1, 2, 3])
    assert.deepEqual(decode(certificateCodec, encode(certificateCodec, good)), good)
    assert.throws(() => decode(certificateCodec, encode(lockCodec, lock([1, 2, 3]))))
  })

  it('gives back the seals it was made of', () => {
    const seals = [1, 2, 3].map((signer) => seal(signer))
    assert.deepEqual(sealsOf(certificate([1, 2, 3])), seals)
  })
})

describe('q promises', () => {
  const at = { ...place, previous: filled(6), ballot: 7 }

  it('open a ballot for anything when nobody shows a lock', () => {
    const promises = [1, 2, 3].map((signer) => promise(signer))
    assert.deepEqual(openedBy(promises, at, trust), { ok: true, only: undefined })
  })

  it('open it only for the lock of the highest ballot', () => {
    const [low, high] = [lock([1, 2, 3], { ballot: 2 }), lock([2, 3, 4], { ballot: 3, step: y })]
    const promises = [promise(1, low), promise(2), promise(3, high)]
    assert.deepEqual(openedBy(promises, at, trust), { ok: true, only: y })
  })

  it('open nothing when two steps are locked in the highest ballot', () => {
    const promises = [
      promise(1, lock([1, 2, 3])),
      promise(2),
      promise(3, lock([2, 3, 4], { step: y })),
    ]
    assert.deepEqual(openedBy(promises, at, trust), { ok: false })
  })

  it('open nothing with fewer than q signers', () => {
    const [one, two] = [promise(1), promise(2)]
    assert.deepEqual(openedBy([one, two], at, trust), { ok: false })
    assert.deepEqual(openedBy([one, two, two], at, trust), { ok: false })
  })

  it('do not count at another place, after another step, or in another ballot', () => {
    assert.ok(verifyPromise(promise(1), at, trust))
    assert.ok(!verifyPromise(promise(1), { ...at, seq: 6 }, trust))
    assert.ok(!verifyPromise(promise(1), { ...at, previous: x }, trust))
    assert.ok(!verifyPromise(promise(1), { ...at, ballot: 8 }, trust))
  })

  it('must bring the lock that they name, from below their ballot, with q votes', () => {
    const shown = promise(1, lock([1, 2, 3]))
    assert.ok(verifyPromise(shown, at, trust))
    assert.ok(!verifyPromise({ ...shown, lock: undefined }, at, trust))
    assert.ok(!verifyPromise({ ...shown, lock: lock([1, 2, 3], { step: y }) }, at, trust))
    assert.ok(!verifyPromise({ ...promise(1), lock: lock([1, 2, 3]) }, at, trust))
    assert.ok(!verifyPromise(promise(1, lock([1, 2, 3], { ballot: 7 })), at, trust))
    assert.ok(!verifyPromise(promise(1, lock([1, 2])), at, trust))
    assert.ok(!verifyLock(lock([1, 2]), trust))
  })

  it('survive their encoding', () => {
    const shown = promise(1, lock([1, 2, 3]))
    assert.deepEqual(decode(promiseProofCodec, encode(promiseProofCodec, shown)), shown)
  })
})

describe('proof against a signer', () => {
  it('is two votes, or two seals, for different steps in one ballot', () => {
    assert.ok(conflicting(vote(1), vote(1, { step: y }), trust))
    assert.ok(conflicting(seal(1), seal(1, { step: y }), trust))
  })

  it('is nothing that an honest signer does', () => {
    assert.ok(!conflicting(vote(1), vote(1), trust))
    assert.ok(!conflicting(vote(1), seal(1, { step: y }), trust))
    assert.ok(!conflicting(vote(1), vote(1, { step: y, ballot: 3 }), trust))
    assert.ok(!conflicting(vote(1), vote(2, { step: y }), trust))
  })

  it('is not what the accuser has made up', () => {
    const other = vote(1, { step: y })
    const forged = { ...other, signature: vote(1).signature }
    assert.ok(!conflicting(vote(1), forged, trust))
  })
})

type Change = { readonly step?: Uint8Array; readonly ballot?: number }

function sign(signer: number): (bytes: Uint8Array) => Uint8Array {
  const key = keys[signer - 1]
  assert.ok(key)
  return (bytes) => signEd25519(key.privateKey, bytes)
}

function origin(signer: number) {
  return { signer, bootId: sha256(filled(signer)).slice(0, 16), storeSequence: 1 }
}

function vote(signer: number, { step = x, ballot = 2 }: Change = {}): Signed<Vote> {
  const statement = { kind: 'vote', ...place, ballot, stepHash: step, ...origin(signer) } as const
  return signStatement<Vote>(statement, sign(signer))
}

function seal(signer: number, { step = x, ballot = 2 }: Change = {}): Signed<Seal> {
  const statement = { kind: 'seal', ...place, ballot, stepHash: step, ...origin(signer) } as const
  return signStatement<Seal>(statement, sign(signer))
}

function lock(signers: readonly number[], change?: Change) {
  const [first, ...others] = signers.map((signer) => vote(signer, change))
  assert.ok(first)
  return lockOf([first, ...others])
}

function certificate(signers: readonly number[]): Certificate {
  const [first, ...others] = signers.map((signer) => seal(signer))
  assert.ok(first)
  return certificateOf([first, ...others])
}

function promise(signer: number, shown?: ReturnType<typeof lock>) {
  const statement = {
    kind: 'promise',
    ...place,
    ballot: 7,
    previous: filled(6),
    lock: shown && { ballot: shown.ballot, stepHash: shown.stepHash },
    ...origin(signer),
  } as const
  return { ...signStatement(statement, sign(signer)), lock: shown }
}
