import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { clientDataFor } from '@quorate/authority/client-data'
import { keyAttestation, newKeyCredential } from '@quorate/authority/testing/key-credential'
import { challengeOf } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { bytesToBig, concat, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { at, attack, backed, gone, rule, type Attack, type Check } from './attack.ts'
import type { Cast } from './cast.ts'
import { fresh } from './stage.ts'

/** Keys and signatures in forms that two libraries could read differently, or break. */

const file = 'authority/public-key.ts'
const unusable = (code: string) => at(file, 'the public key is not usable', code)

/** A Key credential with its public key as this text, and a signature that is right. */
function given(challenge: string, { key, pem }: { key: KeyObject; pem: string }) {
  const clientData = toUtf8(JSON.stringify({ type: 'key.create', challenge }))
  const digest = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const signed = (message: Uint8Array) => new Uint8Array(sign(digest, message, key))
  const attestationData = keyAttestation({ clientData, pem, sign: signed })
  return {
    credentialKind: 'Key',
    credentialInfo: {
      credId: toBase64url(fresh()),
      clientData: toBase64url(clientData),
      attestationData: toBase64url(attestationData),
    },
  }
}

const registering = (
  name: string,
  check: Check,
  make: () => { readonly key: KeyObject; readonly pem: string },
): Attack =>
  attack(name, check, async ({ stage }: Cast) => {
    const { id: user } = await stage.invite()
    const asked = stage.completion({ user, path: '/auth/registration' }, (challenge) => ({
      firstFactorCredential: given(challenge, make()),
    }))
    return stage.propose('registration', asked)
  })

function inPem({ privateKey: key, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }) {
  return { key, pem: String(publicKey.export({ type: 'spki', format: 'pem' })) }
}

function pemOf(der: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----`
}

const registrations: readonly Attack[] = [
  registering(
    'registers a key of a curve that no signer has agreed to',
    gone(unusable(" && namedCurve === 'prime256v1'")),
    () => inPem(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
  ),
  registering(
    'registers a key that is short enough to be broken',
    gone(unusable(' && modulusLength >= 2048')),
    () => inPem(generateKeyPairSync('rsa', { modulusLength: 1024 })),
  ),
  registering(
    'registers a key whose signatures are easy to forge where padding is read laxly',
    gone(unusable(' && publicExponent === 65537n')),
    () => inPem(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })),
  ),
  registering(
    'hides bytes behind a public key',
    gone(unusable('if (attempt(() => readDer(der)) === undefined) return undefined')),
    () => {
      const { key, spki } = newKeyCredential()
      return { key, pem: pemOf(concat(spki, fresh(9))) }
    },
  ),
  registering(
    'writes a public key in base64 with stray bits',
    gone(unusable(" || der.toString('base64') !== text")),
    () => {
      const { key, pem } = newKeyCredential({ algorithm: 'P-256' })
      // 91 bytes leave four bits of the last character to whoever writes it.
      return { key, pem: pem.replace(/.==/, (last) => `${strayed(last[0])}==`) }
    },
  ),
  attack(
    'counts one key in two encodings as two factors',
    rule('new-credentials', 'one key is brought twice'),
    async ({ stage }) => {
      const { id: user } = await stage.invite()
      const { key, pem, spki } = newKeyCredential({ algorithm: 'P-256' })
      const asked = stage.completion({ user, path: '/auth/registration' }, (challenge) => ({
        firstFactorCredential: given(challenge, { key, pem }),
        secondFactorCredential: given(challenge, { key, pem: pemOf(compressed(spki)) }),
      }))
      return stage.propose('registration', asked)
    },
  ),
]

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function strayed(character = 'A'): string {
  return alphabet[alphabet.indexOf(character) ^ 1] ?? 'B'
}

/** SEC 1, section 2.3.3: x, and of y its parity alone. */
function compressed(spki: Uint8Array): Uint8Array {
  const [x, y] = [spki.slice(-64, -32), spki.slice(-32)]
  const algorithm = spki.slice(2, 23)
  const parity = 2 + ((y.at(-1) ?? 0) & 1)
  return concat(
    Uint8Array.of(0x30, 21 + 2 + 34),
    concat(algorithm, concat(Uint8Array.of(0x03, 34, 0, parity), x)),
  )
}

const openssl = 'OpenSSL, as it is in this Node, refuses it as well; another version might not'

/** The right signature, written otherwise. */
const rewritten = (name: string, check: Check, by: 'P-256' | 'ed25519', write: Rewrite): Attack =>
  attack(name, check, async ({ stage, wallet }) => {
    const carl = await stage.newcomer(await stage.invite(), true, {
      first: newKeyCredential({ algorithm: by }),
    })
    await stage.assign(stage.everything, carl)
    return stage.use(bent(stage.transfer(carl, wallet), write), wallet)
  })
type Rewrite = (signature: Uint8Array) => Uint8Array

function bent(evidence: WholeEvidence, write: Rewrite): WholeEvidence {
  const assertions = evidence.assertions.map((one) => ({ ...one, signature: write(one.signature) }))
  return { ...evidence, assertions }
}

const notValid = (code: string) => at(file, 'the signature is not valid', code)

const signatures: readonly Attack[] = [
  rewritten(
    'adds a zero before a number of a signature',
    backed(notValid('if (first === 0 && second < 0x80) return undefined'), openssl),
    'P-256',
    (signature) => {
      const size = signature[3] ?? 0
      const r = concat(Uint8Array.of(0), signature.slice(4, 4 + size))
      const s = signature.slice(4 + size)
      const head = Uint8Array.of(0x30, signature.length - 1, 0x02, size + 1)
      return concat(head, concat(r, s))
    },
  ),
  rewritten(
    'hides bytes behind a signature',
    backed(notValid('signature[1] !== signature.length - 2'), openssl),
    'P-256',
    (signature) => concat(signature, fresh(3)),
  ),
  rewritten(
    'adds the order of the group to the second half of a signature',
    backed(notValid('signature.length === 64 &&'), openssl),
    'ed25519',
    (signature) => {
      const order = 2n ** 252n + 27742317777372353535851937790883648493n
      let s = bytesToBig(signature.slice(32).reverse()) + order
      const halves = Uint8Array.from(signature)
      for (let i = 32; i < 64; i++, s >>= 8n) halves[i] = Number(s & 0xffn)
      return halves
    },
  ),
  attack(
    'pays once more by another signature of the same request',
    rule('use', 'the request has been used'),
    async ({ stage, wallet }) => {
      const first = newKeyCredential({ algorithm: 'P-256' })
      const carl = await stage.newcomer(await stage.invite(), true, { first })
      await stage.assign(stage.everything, carl)
      const asked = stage.transfer(carl, wallet)
      await stage.put('use', asked, stage.placeOf(wallet))
      const clientData = clientDataFor(challengeOf(asked.preimage))
      // Of the same request by the same key, as a client that is asked twice would make it.
      const again = bent(asked, () => new Uint8Array(sign('sha256', clientData, first.key)))
      return stage.use({ ...again, facts: stage.transfer(carl, wallet).facts }, wallet)
    },
    { isVariant: true },
  ),
]

export const publicKeys: readonly Attack[] = [...registrations, ...signatures]
