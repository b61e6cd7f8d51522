import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { before, describe, it } from 'node:test'
import {
  SettingsService,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { concat, equalBytes, fromBase64url, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { readAttestation } from '../attestation.ts'
import { randomFrom } from '../agreement/model/random.ts'
import {
  androidKey,
  apple,
  fidoU2f,
  newDevice,
  objectOf,
  packed,
  safetyNet,
  tpm,
} from '../testing/attestations.ts'
import { writeCbor } from '../testing/cbor.ts'
import { mutated } from '../testing/mutations.ts'
import {
  authenticatorDataOf,
  coseKeyOf,
  newPasskey,
  passkeyClientData,
  signWith,
} from '../testing/passkey.ts'
import { verifyPasskeyAssertion } from './assertion.ts'

/**
 * Ours beside an independent verifier that is not as strict: what we believe, it believes too, and
 * what it refuses, we refuse. It is asked to trust no root either.
 */
const challenge = 'C'.repeat(43)
const relyingParty = 'example.test'
const origin = 'https://example.test'
const expected = {
  expectedChallenge: toBase64url(toUtf8(challenge)),
  expectedOrigin: origin,
  expectedRPID: relyingParty,
}
const relyingParties = [{ id: relyingParty, origins: [origin] }]
const mutations = 150

type Registration = {
  readonly credId: string
  readonly clientData: Uint8Array
  readonly attestationData: Uint8Array
}
type Verification = 'present' | 'verified'

function weBelieve(given: Registration, verification: Verification): boolean {
  const policy = { challenge, relyingParties, verification }
  return readAttestation({ kind: 'Fido2', ...given }, policy).ok
}

/** It throws at most of what it refuses. */
async function saysYes(verdict: Promise<{ readonly verified: boolean }>): Promise<boolean> {
  return verdict.then(
    ({ verified }) => verified,
    () => false,
  )
}

function theyBelieve(given: Registration, verification: Verification): Promise<boolean> {
  const { credId: id, clientData, attestationData } = given
  return saysYes(
    verifyRegistrationResponse({
      ...expected,
      requireUserVerification: verification === 'verified',
      response: {
        ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
        response: {
          clientDataJSON: toBase64url(clientData),
          attestationObject: toBase64url(attestationData),
        },
      },
    }),
  )
}

type Named = readonly (readonly [string, Registration])[]

function passkeys(): Named {
  return (['ES256', 'EdDSA', 'RS256'] as const).flatMap((algorithm) =>
    (['none', 'packed'] as const).flatMap((attestation) =>
      [true, false].map((userVerified) => {
        const passkey = newPasskey({ algorithm, attestation, userVerified })
        const { credentialInfo } = passkey.create(challenge)
        const { credId, clientData, attestationData } = credentialInfo
        const decoded = { clientData: fromBase64url(clientData) }
        const given = { credId, ...decoded, attestationData: fromBase64url(attestationData) }
        return [`${attestation} ${algorithm}`, given] as const
      }),
    ),
  )
}

function certified(): Named {
  return (
    [
      ['packed', packed],
      ['fido-u2f', fidoU2f],
      ['apple', apple],
      ['android-key', androidKey],
      ['android-safetynet', safetyNet],
      ['tpm', tpm],
    ] as const
  ).map(([format, attest]) => {
    const aaguid = format === 'fido-u2f' ? { aaguid: new Uint8Array(16) } : {}
    const device = newDevice(challenge, aaguid)
    const attestationData = objectOf(format, device, attest(device))
    const { clientData, credId } = device
    return [format, { credId: toBase64url(credId), clientData, attestationData }] as const
  })
}

describe('beside an independent verifier', () => {
  before(() => {
    for (const identifier of ['apple', 'android-key', 'android-safetynet'] as const)
      SettingsService.setRootCertificates({ identifier, certificates: [] })
  })

  it('we believe the same registrations', async () => {
    let believed = 0
    for (const [name, given] of [...passkeys(), ...certified()])
      for (const verification of ['present', 'verified'] as const) {
        const ours = weBelieve(given, verification)
        if (ours) believed++
        assert.equal(ours, await theyBelieve(given, verification), `${name} ${verification}`)
      }
    assert.equal(believed, 12 + 6 + 6 * 2)
  })

  // Certificates apart: of those it reads more than we do, such as dates.
  it('we believe no registration that it refuses, of many that are nearly right', async () => {
    let believed = 0
    for (const [name, given] of passkeys())
      for (let seed = 0; seed < mutations; seed++) {
        const random = randomFrom(seed)
        const part = random.pick(['attestationData', 'attestationData', 'clientData'] as const)
        const changed = { ...given, [part]: mutated(random, given[part]) }
        if (!weBelieve(changed, 'present')) continue
        believed++
        assert.ok(await theyBelieve(changed, 'present'), `${name} ${seed}`)
      }
    assert.ok(believed > 0, 'nothing that was changed was believed')
  })

  for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const)
    it(`we judge assertions of ${algorithm} alike`, async () => {
      const passkey = newPasskey({ algorithm })
      const publicKey = writeCbor(coseKeyOf(createPublicKey(passkey.key)))
      const both = async (
        clientData: Uint8Array,
        authenticatorData: Uint8Array,
        sig: Uint8Array,
      ) => {
        const ours = verifyPasskeyAssertion({
          ...{ spki: passkey.spki, relyingParty, challenge, clientData, authenticatorData },
          ...{ signature: sig, relyingParties, verification: 'verified' },
        })
        const { credId: id } = passkey
        const theirs = await saysYes(
          verifyAuthenticationResponse({
            ...expected,
            credential: { id, publicKey: new Uint8Array(publicKey), counter: 0 },
            response: {
              ...{ id, rawId: id, type: 'public-key', clientExtensionResults: {} },
              response: {
                clientDataJSON: toBase64url(clientData),
                authenticatorData: toBase64url(authenticatorData),
                signature: toBase64url(sig),
              },
            },
          }),
        )
        return [ours, theirs]
      }
      const clientData = passkeyClientData('webauthn.get', challenge, origin)
      const data = authenticatorDataOf({ relyingParty, userVerified: true })
      const sign = (text: Uint8Array, bytes: Uint8Array) =>
        signWith(passkey.key, concat(bytes, sha256(text)))
      assert.deepEqual(await both(clientData, data, sign(clientData, data)), [true, true])
      for (let seed = 0; seed < mutations; seed++) {
        const random = randomFrom(seed)
        const text = random.chance(0.5) ? mutated(random, clientData) : clientData
        const bytes = random.chance(0.5) ? mutated(random, data) : data
        const signature = sign(text, bytes)
        // What is wrong is signed too, or the signature alone would decide.
        const [ours, theirs] = await both(text, bytes, signature)
        if (ours) assert.ok(theirs, String(seed))
        // Some mutations come to what was there.
        const other = mutated(random, signature)
        const [wrong] = await both(clientData, data, other)
        if (wrong && !equalBytes(other, signature))
          assert.fail(`a changed signature was believed: ${seed}`)
      }
    })
})
