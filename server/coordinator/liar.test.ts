import assert from 'node:assert/strict'
import { createPrivateKey, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { signEd25519 } from '@quorate/authority/ed25519'
import type { Scheme } from '@quorate/authority/key-certificate'
import { toHex } from '@quorate/core/bytes'
import { decodeDerived } from '@quorate/effects/instruction'
import { verifySchnorr } from '@quorate/threshold/public/schnorr'
import { outputKeyOf } from '@quorate/threshold/public/taproot'
import { verifySignature } from '@quorate/threshold/public/verify'
import type { Person } from '@quorate/signer/testing/requests'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { sealPacket } from '@quorate/wire/packet'
import { type Coordinator, openCoordinator } from './coordinator.ts'
import { signatureBytes } from './signing.ts'
import {
  type Company,
  found,
  hashAsk,
  hire,
  type Key,
  derivationAsk,
  keyAsk,
  makeKey,
  messageAsk,
  taprootAsk,
} from './testing/company.ts'
import { type Lie, packetLie, withFlippedBit, withLiar } from './testing/gone-bad.ts'
import { type Platform, startPlatform } from './testing/platform.ts'

/** One of four, as the cluster is built for. */
const liar = 2

describe('a coordinator with one signer that lies', () => {
  let platform: Platform
  let company: Company
  let bot: Person
  let keys: Readonly<Record<Scheme, Key>>
  before(async () => {
    platform = await startPlatform()
    const { coordinator, manifest } = platform
    company = await found(coordinator, manifest.hash)
    bot = await hire(coordinator, company)
    const make = (scheme: Scheme) => makeKey(coordinator, company, keyAsk(company, bot, scheme))
    keys = {
      EdDSA: await make('EdDSA'),
      ECDSA: await make('ECDSA'),
      Schnorr: await make('Schnorr'),
      DH: await make('DH'),
    }
  })
  after(() => platform.stop())

  const asks = { EdDSA: messageAsk, ECDSA: hashAsk, Schnorr: taprootAsk, DH: derivationAsk }
  const derived = new Set<string>()

  async function signs(coordinator: Coordinator, scheme: Scheme): Promise<boolean> {
    const said = new Uint8Array(randomBytes(32))
    const { id: key, publicKey } = keys[scheme]
    const evidence = asks[scheme](company, bot, key, said)
    const { organization } = company
    const [first] = (await coordinator.sign({ organization, key, evidence })).signatures
    assert.ok(first)
    const bytes = signatureBytes(first)
    if (scheme === 'DH') return derived.add(toHex(decodeDerived(bytes).point)).size === 1
    if (scheme === 'Schnorr') {
      const spend = { publicKey, birth: 'taproot', merkleRoot: new Uint8Array() } as const
      return verifySchnorr(outputKeyOf(spend) ?? publicKey, said, bytes)
    }
    const curve = scheme === 'EdDSA' ? 'ed25519' : 'secp256k1'
    return verifySignature(scheme, curve, publicKey, said, bytes)
  }

  /** Enough signatures that the liar is in the first quorum of some; it must never be the last. */
  async function holds(lie: Lie, scheme: Scheme) {
    const { database, manifest } = platform
    let lies = 0
    const counted: Lie = (said, asked) => {
      const told = lie(said, asked)
      if (told !== said) lies += 1
      return told
    }
    const links = withLiar(platform.links, liar, counted)
    for (let tries = 0; tries < 40 && lies === 0; tries++) {
      const coordinator = openCoordinator({ database, links, manifest, log: quiet })
      assert.ok(await signs(coordinator, scheme))
      if (lies === 0) continue
      // Its first excuse may be believed, and the next quorum may go without it.
      for (let i = 0; i < 40 && !(await isAvoided(coordinator)); i++)
        assert.ok(await signs(coordinator, scheme))
      assert.ok(await isAvoided(coordinator))
      assert.ok(await signs(coordinator, scheme))
    }
    assert.ok(lies > 0, 'the lie was never told')
  }

  it('signs when it sends packets that are not signed, or for another ceremony', async () => {
    await holds(packetLie(1, withFlippedBit), 'EdDSA')
    await holds(
      (said) => (said.kind === 'packet' ? { ...said, ceremony: new Uint8Array(32) } : said),
      'EdDSA',
    )
  })

  it('signs when it gives a wrong share, well signed', async () => {
    const file = platform.cluster.signers[liar - 1]?.identityFile
    assert.ok(file)
    const identity = createPrivateKey(readFileSync(file))
    const resigned = (round: number) =>
      packetLie(round, (packet) => {
        const parts = withFlippedBit(packet).parts.flatMap(({ to, body }) =>
          body === undefined ? [] : [{ to, body }],
        )
        return sealPacket(packet.header, parts, (message) => signEd25519(identity, message))
      })
    await holds(resigned(2), 'EdDSA')
    await holds(resigned(2), 'Schnorr')
    // The first is the last, and of a wrong whole nobody could tell that it is wrong.
    await holds(resigned(1), 'DH')
  })

  it('signs when it accuses whoever it meets', async () => {
    const accuse = (said: SessionReply, asked: SessionCall): SessionReply => {
      if (said.kind !== 'packet' || asked.kind !== 'advance') return said
      const culprits = asked.packets.map(({ header }) => header.from)
      const { ceremony } = said
      return { kind: 'aborted', ceremony, reason: 'proof', culprits, burned: [] }
    }
    await holds(accuse, 'EdDSA')
    await holds(accuse, 'ECDSA')
  })

  it('signs when it refuses, and when it says that it lacks or has burned every pair', async () => {
    await holds(() => ({ kind: 'refused', reason: 'no' }), 'EdDSA')
    const unpaired =
      (burned: readonly number[]): Lie =>
      (said, { kind }) =>
        kind === 'sign' ? { kind: 'unpaired', peers: [1, 3, 4], burned: [...burned] } : said
    await holds(unpaired([]), 'ECDSA')
    await holds(unpaired([1, 3, 4]), 'ECDSA')
  })
})

/** Whoever says that his pairs are burned is taken at his word: nobody signs with him. */
async function isAvoided(coordinator: Coordinator): Promise<boolean> {
  const one = coordinator.status().find(({ id }) => id === `signer-${liar}`)
  const { burned } = await coordinator.faults()
  const apart = burned.filter(({ pair }) => pair.includes(liar))
  return one?.leftOutUntil !== undefined || apart.length === 3
}

const quiet = { warn: () => undefined, error: () => undefined }
