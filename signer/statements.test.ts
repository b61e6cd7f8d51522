import assert from 'node:assert/strict'
import { randomBytes, sign } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf } from '@quorate/authority/credential'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import {
  acknowledgement,
  encodeSigned,
  encodeStatement,
  statementChallenge,
} from '@quorate/authority/statement'
import { fromHex, toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { openMailbox } from './mailbox/mailbox.ts'
import { emptyMailbox } from './mailbox/watch.ts'
import { createWallet, type Wallet } from './testing/keys.ts'
import { makeCredential } from './testing/requests.ts'
import { signCall } from './testing/signing.ts'
import { transferRequest } from './testing/uses.ts'
import { World } from './testing/world.ts'

describe('a statement in a mailbox that no server owns', () => {
  const world = new World({ real: [1] })
  const folder = join(world.dir, 'mailbox')
  let wallet: Wallet
  before(async () => {
    mkdirSync(folder)
    await world.found()
    wallet = await createWallet(world, 'EthereumSepolia')
  })
  after(() => world.close())

  function drop(key = world.administrator.credential, issuedAt = world.now) {
    const { organization, user, credential } = world.administrator
    const nonce = new Uint8Array(randomBytes(32))
    const said = { organization, user, nonce, issuedAt, target: wallet.key.id }
    const encoded = encodeStatement({ kind: 'freezeKey', ...said })
    const clientData = clientDataFor(statementChallenge(encoded))
    const signature = new Uint8Array(sign(null, clientData, key.privateKey))
    const fingerprint = fingerprintOf(credential.spki)
    const signed = { fingerprint, clientData, signature, authenticatorData: undefined }
    const hash = sha256(encoded)
    writeFileSync(join(folder, `${toHex(hash)}.statement`), encodeSigned(encoded, signed))
    return hash
  }
  const look = () =>
    emptyMailbox(world.member(1).signer, { mailbox: openMailbox(folder), id: 'signer-1' })
  const ackOf = (hash: Uint8Array) => join(folder, `${toHex(hash)}.signer-1.ack`)
  const use = (nonce: bigint) => {
    const evidence = transferRequest(world, wallet, { nonce })
    const place = world.keyPlace(wallet.key.id)
    return { place, drafted: world.draft(place, [{ kind: 'use', evidence }]) }
  }

  it('that is forged, too large or not there changes nothing', async () => {
    const forged = drop(makeCredential())
    writeFileSync(join(folder, `${'0'.repeat(64)}.statement`), randomBytes(100_000))
    writeFileSync(join(folder, `${'1'.repeat(64)}.statement`), randomBytes(100))
    await look()
    assert.ok(!existsSync(ackOf(forged)))
    const { place, drafted } = use(0n)
    await world.certify(place, drafted)
  })

  it('stops last rounds of what was agreed before, and every vote after, over a restart', async () => {
    const before = use(1n)
    await world.certify(before.place, before.drafted)
    const hash = drop()
    // Nobody asks the signer anything meanwhile: it looks by itself.
    await look()
    const identity = world.cluster.manifest.signers[0]?.identity ?? new Uint8Array(32)
    const signed = fromHex(readFileSync(ackOf(hash), 'utf8'))
    const words = acknowledgement(world.cluster.manifest.hash, hash)
    assert.ok(verifyEd25519(identity, words, signed))
    for (const life of ['this', 'the next']) {
      if (life === 'the next') world.restart(1)
      const late = await world.session(1, signCall(before.place, before.drafted))
      assert.equal(late.kind, 'refused')
      assert.match(late.kind === 'refused' ? late.reason : '', /the key is frozen/)
      const { place, drafted } = use(2n)
      const answer = await world.answer(1, place, world.propose(place, drafted.step))
      assert.equal(answer.kind, 'refusal')
      assert.match(answer.kind === 'refusal' ? answer.detail : '', /the key is frozen/)
    }
  })
})
