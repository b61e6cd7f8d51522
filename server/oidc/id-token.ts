import {
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from 'jose'
import { Failure, isFailure } from '@quorate/core/failure'

/** Who somebody is, by the word of an issuer. */
export type Identity = {
  readonly issuer: string
  /** Never given to somebody else by this issuer, unlike an address. */
  readonly subject: string
  readonly email?: string
  /** Does the issuer vouch for the address? If not, it is what a stranger typed. */
  readonly emailVerified: boolean
  readonly claims: Readonly<Record<string, unknown>>
}

export type IdTokenCheck = {
  readonly idToken: string
  readonly issuer: string
  /** Client ids of ours: a token for another client is another's. */
  readonly audiences: readonly string[]
  /** What we put into the request. Without it a token that was overheard is as good as a fresh one. */
  readonly nonce?: string | undefined
  readonly now: number
  readonly keys: () => Promise<JWTVerifyGetKey>
  /** Asked once, for a key that is not in `keys`. */
  readonly newerKeys: () => Promise<JWTVerifyGetKey>
}

/** RFC 8725, 3.1: a list of ours, whatever the header says. None that works with a shared secret. */
const algorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'],
  ...['EdDSA', 'Ed25519'],
]
/** Groups and roles of a large company swell a token; no header of HTTP carries more. */
const tokenLengthMax = 16 * 1024
/** Clocks that are kept at all are closer. */
const skewSeconds = 60
/** The longest that a large provider lets its tokens live. */
const ageSecondsMax = 24 * 60 * 60
/** OpenID Connect Core 1.0, section 2, `sub`. */
const subjectLengthMax = 255
/** RFC 5321, 4.5.3.1.3, without the brackets. */
const emailLengthMax = 254

/**
 * OpenID Connect Core 1.0, 3.1.3.7. Whatever is wrong, the bearer learns no more than that.
 * @throws Failure `identity_token.invalid`, `issuer.unavailable`
 */
export async function checkIdToken(check: IdTokenCheck): Promise<Identity> {
  try {
    if (check.idToken.length > tokenLengthMax) throw new errors.JWTInvalid('too long')
    const { payload, protectedHeader } = await jwtVerify(check.idToken, keyFinder(check), {
      algorithms,
      issuer: check.issuer,
      audience: [...check.audiences],
      requiredClaims: ['sub', 'exp', 'iat'],
      clockTolerance: skewSeconds,
      maxTokenAge: ageSecondsMax,
      currentDate: new Date(check.now),
    })
    if (!isIdToken(protectedHeader, payload)) throw new errors.JWTInvalid('not an id token')
    if (!isForUs(payload, check.audiences)) throw new errors.JWTInvalid('for others too')
    if (check.nonce !== undefined && payload['nonce'] !== check.nonce)
      throw new errors.JWTInvalid('another nonce')
    return identityOf(check.issuer, payload)
  } catch (cause) {
    if (isFailure(cause, 'issuer.unavailable')) throw cause
    // Besides errors of its own, jose throws those of Web Crypto, for keys that are none.
    throw new Failure('identity_token.invalid', {}, { cause })
  }
}

function keyFinder({ keys, newerKeys }: IdTokenCheck): JWTVerifyGetKey {
  return async (header, token) => {
    try {
      return await (
        await keys()
      )(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      return (await newerKeys())(header, token)
    }
  }
}

/**
 * RFC 8725, 3.11 and 3.12. A logout token has the issuer, audience and subject of an id token (Back-Channel
 * Logout 1.0, 2.4), an access token may have them (RFC 9068): neither lets anybody in.
 */
function isIdToken(header: JWTHeaderParameters, claims: JWTPayload): boolean {
  return (header.typ === undefined || /^jwt$/i.test(header.typ)) && claims['events'] === undefined
}

/** A token for several clients says which of them it was given to. */
function isForUs({ aud, azp }: JWTPayload, audiences: readonly string[]): boolean {
  if (azp === undefined) return typeof aud === 'string' || aud?.length === 1
  return typeof azp === 'string' && audiences.includes(azp)
}

function identityOf(issuer: string, claims: JWTPayload): Identity {
  const { sub, email, email_verified: verified } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > subjectLengthMax)
    throw new errors.JWTInvalid('no subject')
  if (email === undefined) return { issuer, subject: sub, emailVerified: false, claims }
  if (typeof email !== 'string' || email.length > emailLengthMax)
    throw new errors.JWTInvalid('no address')
  // Some large providers write the boolean as a text.
  const emailVerified = verified === true || verified === 'true'
  return { issuer, subject: sub, email, emailVerified, claims }
}
