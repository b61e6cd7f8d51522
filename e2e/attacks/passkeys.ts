import { generateKeyPairSync } from 'node:crypto'
import { keyAttestation, newKeyCredential } from '@quorate/authority/testing/key-credential'
import {
  attestationObject,
  authenticatorDataOf,
  newPasskey,
  passkeyClientData,
  registrationData,
  signWith,
  type Passkey,
} from '@quorate/authority/testing/passkey'
import { challengeOf } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { concat, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { at, attack, gone, without, type Attack, type Check } from './attack.ts'
import type { Cast } from './cast.ts'
import { fresh } from './stage.ts'

/** What a page, a browser or an authenticator that is not the user's makes a passkey say. */

const reason = 'the signature is not valid'
const webauthn = (file: string, code: string) => at(`authority/webauthn/${file}.ts`, reason, code)

type Touch = {
  /** Members of clientData that are not what the user's browser would write. */
  readonly says?: (challenge: string) => object
  /** In place of what his authenticator says of itself. */
  readonly data?: Uint8Array
}

/** The user's own passkey signs all of it, whatever it says; in order when nothing is given. */
export function touched(
  evidence: WholeEvidence,
  passkey: Passkey,
  touch: Touch = {},
): WholeEvidence {
  const [assertion] = evidence.assertions
  if (assertion === undefined) throw new Error('not signed')
  const challenge = challengeOf(evidence.preimage)
  const text = new TextDecoder().decode(
    passkeyClientData('webauthn.get', challenge, passkey.origin),
  )
  const clientData = toUtf8(JSON.stringify({ ...JSON.parse(text), ...touch.says?.(challenge) }))
  const authenticatorData = touch.data ?? itsData()
  const signature = signWith(passkey.key, concat(authenticatorData, sha256(clientData)))
  return { ...evidence, assertions: [{ ...assertion, clientData, authenticatorData, signature }] }
}

const itsData = (relyingParty = 'example.test', userVerified = true) =>
  authenticatorDataOf({ relyingParty, userVerified })

/** Byte 32 of what an authenticator says holds its flags. */
function flagged(flags: number): Uint8Array {
  const data = itsData()
  data[32] = flags
  return data
}

const touching = (name: string, check: Check, touch: Touch, isVariant = false): Attack =>
  attack(
    name,
    check,
    ({ stage, pia, piasPasskey, wallet }) =>
      stage.use(touched(stage.transfer(pia, wallet), piasPasskey, touch), wallet),
    { isVariant },
  )

const framed = without(webauthn('client-data', 'const isFramed ='), [
  '(crossOrigin !== undefined && crossOrigin !== false) || topOrigin !== undefined',
  'crossOrigin === topOrigin && topOrigin === null',
])
const encodedOnce = without(
  webauthn('client-data', "if (read['challenge'] !== toBase64url(toUtf8(challenge)))"),
  ["if (read['challenge'] !== toBase64url(toUtf8(challenge))) return undefined", ''],
)
const fromItsPage = without(webauthn('relying-party', 'party.id === id &&'), [
  'party.id === id && party.origins.includes(origin)',
  'origin !== id && party !== undefined',
])
const whole = without(webauthn('authenticator-data', "throw malformed('no further bytes')"), [
  "throw malformed('no further bytes')",
  ';',
])

const assertions: readonly Attack[] = [
  touching('has a passkey touched on a page of its own', fromItsPage, {
    says: () => ({ origin: 'https://evil.test' }),
  }),
  touching(
    'has a passkey touched on a page whose name begins like the right one',
    fromItsPage,
    { says: () => ({ origin: 'https://example.test.evil.test' }) },
    true,
  ),
  touching(
    'has a passkey touched on the right page without encryption',
    fromItsPage,
    { says: () => ({ origin: 'http://example.test' }) },
    true,
  ),
  touching(
    'has a passkey of another relying party sign',
    gone(webauthn('assertion', '!isFor(data, relyingParty) ||')),
    { data: itsData('evil.test') },
  ),
  touching(
    'has a passkey sign that nobody has touched',
    gone(webauthn('relying-party', 'if (!userPresent) return false')),
    { data: flagged(0x04) },
  ),
  touching(
    'has a passkey sign that does not know who touched it',
    without(webauthn('relying-party', "return verification !== 'verified' || userVerified"), [
      "return verification !== 'verified' || userVerified",
      'return userVerified || verification !== undefined',
    ]),
    { data: itsData('example.test', false) },
  ),
  touching('has a passkey touched in a frame of another site', framed, {
    says: () => ({ crossOrigin: true }),
  }),
  touching(
    'has a passkey touched in a frame that says which site is around it',
    framed,
    { says: () => ({ crossOrigin: false, topOrigin: 'https://evil.test' }) },
    true,
  ),
  touching(
    'makes an action of the creation of a passkey',
    gone(webauthn('client-data', "|| read['type'] !== type")),
    { says: () => ({ type: 'webauthn.create' }) },
  ),
  touching('has a passkey sign the challenge without its encoding', encodedOnce, {
    says: (challenge) => ({ challenge }),
  }),
  touching(
    'has a passkey sign the challenge in padded base64',
    encodedOnce,
    { says: (challenge) => ({ challenge: `${toBase64url(toUtf8(challenge))}==` }) },
    true,
  ),
  touching(
    'has a passkey sign the challenge in the alphabet of ordinary base64',
    encodedOnce,
    { says: () => ({ challenge: Buffer.from(fresh()).toString('base64') }) },
    true,
  ),
  touching(
    'dresses a registration up as a touch',
    without(webauthn('assertion', 'data.attested !== undefined'), [
      ' || data.attested !== undefined',
      '',
    ]),
    { data: registered() },
  ),
  touching('hides bytes behind what an authenticator says', whole, {
    data: concat(itsData(), fresh(8)),
  }),
  touching(
    'has an authenticator say that it has a backup of what cannot have one',
    without(webauthn('authenticator-data', "throw malformed('no backup where none is possible')"), [
      "throw malformed('no backup where none is possible')",
      ';',
    ]),
    { data: flagged(0x15) },
  ),
  attack(
    'takes the signature of a passkey for one of a plain key',
    without(
      at('authority/credential.ts', reason, 'if (authenticatorData === undefined || relyingParty'),
      [
        'if (authenticatorData === undefined || relyingParty === undefined) return false',
        'if (authenticatorData === undefined || relyingParty === undefined)\n    return verifyKeyAssertion(spki, challenge, { clientData, signature })',
      ],
    ),
    // As the stage signs for everybody: `key.get`, by the passkey's own private key.
    ({ stage, pia, wallet }) => stage.use(stage.transfer(pia, wallet), wallet),
  ),
  attack(
    'keeps a page in use that the organization has taken from its settings',
    fromItsPage,
    async ({ stage, pia, piasPasskey, wallet }) => {
      const settings = (origin: string) => ({
        relyingParties: [{ id: 'example.test', origins: [origin] }],
      })
      await stage.settle(settings('https://new.example.test'))
      const asked = touched(stage.transfer(pia, wallet), piasPasskey, {})
      const outcome = await stage.use(asked, wallet)
      await stage.settle(settings('https://example.test'))
      return outcome
    },
    { isVariant: true },
  ),
]

function registered(): Uint8Array {
  const { publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const given = { relyingParty: 'example.test', userVerified: true, credId: fresh() }
  return registrationData({ ...given, key })
}

/** Somebody is invited, and what comes back for him is this. */
const bringing = (
  name: string,
  check: Check,
  create: (challenge: string) => object,
  isVariant = false,
): Attack =>
  attack(
    name,
    check,
    async ({ stage }: Cast) => {
      const { id: user } = await stage.invite()
      const asked = stage.completion({ user, path: '/auth/registration' }, (challenge) => ({
        firstFactorCredential: create(challenge),
      }))
      return stage.propose('registration', asked)
    },
    { isVariant },
  )

type New = {
  readonly type?: 'webauthn.create' | 'webauthn.get'
  readonly format?: string
  readonly statement?: (signed: Uint8Array) => ReadonlyMap<string, Uint8Array | number>
  readonly data?: (given: Parameters<typeof registrationData>[0]) => Uint8Array
}

/** A new passkey with something in it as no authenticator would write it. */
function newOne(challenge: string, { type = 'webauthn.create', ...given }: New) {
  const { privateKey, publicKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const credId = fresh()
  const { format = 'none', statement = () => new Map(), data = registrationData } = given
  const clientData = passkeyClientData(type, challenge, 'https://example.test')
  const authData = data({ relyingParty: 'example.test', userVerified: true, credId, key })
  const signed = signWith(privateKey, concat(authData, sha256(clientData)))
  const object = attestationObject(format, statement(signed), authData)
  const attestationData = toBase64url(object)
  return {
    credentialKind: 'Fido2',
    credentialInfo: {
      ...{ credId: toBase64url(credId), clientData: toBase64url(clientData), attestationData },
    },
  }
}

const attested = (why: string) => at('authority/attestation.ts', why)
const inFormat = (file: string, why: string, code = why) =>
  at(`authority/webauthn/${file}.ts`, why, code)

const registrations: readonly Attack[] = [
  bringing(
    'registers a passkey by a touch that was for something else',
    attested('the passkey was not made for this challenge'),
    (challenge) => newOne(challenge, { type: 'webauthn.get' }),
  ),
  bringing(
    'registers a passkey that does not know its user',
    attested('the passkey has not verified its user'),
    (challenge) => newPasskey({ userVerified: false }).create(challenge),
  ),
  bringing(
    'registers one passkey under the id of another',
    attested('the passkey has another id'),
    (challenge) => {
      const { credentialInfo, ...rest } = newPasskey().create(challenge)
      return { ...rest, credentialInfo: { ...credentialInfo, credId: toBase64url(fresh()) } }
    },
  ),
  bringing(
    'registers a key by a signature that was for something else',
    attested('the clientData does not create a key'),
    (challenge) => newKey(JSON.stringify({ type: 'key.get', challenge })),
  ),
  bringing(
    'registers a key by a digest that others have broken',
    attested('the attestation is of another digest than SHA-256'),
    (challenge) => newKey(JSON.stringify({ type: 'key.create', challenge }), { algorithm: 'SHA1' }),
  ),
  bringing(
    'registers a passkey with an attestation of somebody else',
    inFormat('statement', 'the signature of the attestation is not valid'),
    (challenge) => {
      const statement = () => new Map([...packed, ['sig', fresh(70)] as const])
      return newOne(challenge, { format: 'packed', statement })
    },
  ),
  bringing(
    'registers a passkey whose attestation names a weaker algorithm than its key',
    inFormat('packed', 'the attestation is of another algorithm'),
    (challenge) => {
      const statement = (signed: Uint8Array) =>
        new Map<string, Uint8Array | number>([
          ['alg', -65535],
          ['sig', signed],
        ])
      return newOne(challenge, { format: 'packed', statement })
    },
  ),
  bringing(
    'registers a passkey with a statement that says nothing, and more',
    inFormat('statement', 'the attestation statement has not the members of its format'),
    (challenge) => newOne(challenge, { statement: () => new Map([['alg', -7]]) }),
  ),
  bringing(
    'registers a touch in the place of a passkey',
    inFormat('attestation', 'the attestation holds no credential'),
    (challenge) => newOne(challenge, { data: () => itsData() }),
  ),
  bringing(
    'registers a passkey of an algorithm that nobody here verifies',
    inFormat('cose', 'the key is of none of the algorithms ES256, EdDSA and RS256'),
    // ES256K (RFC 8812) in the place of ES256, in the one byte that says so.
    (challenge) =>
      newOne(challenge, { data: (given) => replaced(registrationData(given), 'es256k') }),
  ),
  bringing(
    'registers a passkey whose point is on no curve',
    inFormat('cose', 'the key is not on its curve'),
    (challenge) =>
      newOne(challenge, { data: (given) => replaced(registrationData(given), 'point') }),
  ),
  bringing(
    'registers a passkey that says two things of its key',
    without(inFormat('cbor', 'the attestation is not well-formed', "malformed('no key twice')"), [
      "if (entries.has(key)) throw malformed('no key twice')",
      '',
    ]),
    (challenge) =>
      newOne(challenge, { data: (given) => replaced(registrationData(given), 'twice') }),
  ),
]

const packed: readonly (readonly [string, Uint8Array | number])[] = [['alg', -7]]

function newKey(text: string, more: object = {}) {
  const { key, pem } = newKeyCredential()
  const clientData = toUtf8(text)
  const made = keyAttestation({ clientData, pem, sign: (message) => signWith(key, message) })
  const attestation = { ...JSON.parse(new TextDecoder().decode(made)), ...more }
  const attestationData = toBase64url(toUtf8(JSON.stringify(attestation)))
  return {
    credentialKind: 'Key',
    credentialInfo: {
      ...{ credId: toBase64url(fresh()), clientData: toBase64url(clientData), attestationData },
    },
  }
}

/**
 * Changes in the COSE key at the end of authenticator data, which for ES256 is a map of five
 * (RFC 9052, section 7): kty 2, alg -7, crv 1, x and y of 32 bytes.
 */
function replaced(data: Uint8Array, what: 'es256k' | 'point' | 'twice'): Uint8Array {
  const changed = Uint8Array.from(data)
  const start = data.length - coseBytes
  // The label of crv (-1) becomes that of alg (3), which was there already.
  if (what === 'twice') changed[start + 5] = 3
  if (what === 'point') changed[data.length - 1] = 1 ^ (data.at(-1) ?? 0)
  // Of two bytes where there was one, of which the second is for nobody.
  if (what === 'es256k')
    return concat(
      changed.slice(0, start + 4),
      concat(Uint8Array.of(0x38, 0x2e), changed.slice(start + 5)),
    )
  return changed
}
const coseBytes = 1 + 2 + 2 + 2 + 2 * (1 + 2 + 32)

export const passkeys: readonly Attack[] = [...assertions, ...registrations]
