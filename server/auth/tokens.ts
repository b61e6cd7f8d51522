import { createPublicKey, hkdfSync } from 'node:crypto'
import { calculateJwkThumbprint, errors, exportJWK, jwtVerify, SignJWT } from 'jose'
import { readEd25519 } from '@quorate/authority/ed25519'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { Kept } from '@quorate/core/kept'

/** What an official client looks for in every bearer token. */
export type Bearer = {
  readonly orgId: string
  readonly userId: string
  readonly username: string
  readonly tokenKind: 'Token' | 'ServiceAccount' | 'Pat' | 'Temp'
  /** Of tokens that are state; of a newcomer's, the hex of what it is for. */
  readonly tokenId?: string
  /** Of a login, which can be ended. */
  readonly session?: string
}

export type Tokens = {
  issue(bearer: Bearer, life: Life): Promise<string>
  /** @throws Failure `token.invalid` */
  read(token: string, now: number): Promise<Bearer>
  /** A challenge that the client carries, so that nobody can make us keep it. */
  sealChallenge(challenge: Sealed, life: Life): Promise<string>
  /** @throws Failure `challenge.invalid` */
  openChallenge(token: string, now: number): Promise<Sealed>
  /** 32 bytes for one purpose, of which nothing can be told from those for another. */
  keyFor(purpose: string): Uint8Array
  readonly keySet: {
    readonly keys: {
      kty: 'OKP'
      crv: 'Ed25519'
      x: string
      kid: string
      alg: 'EdDSA'
      use: 'sig'
    }[]
  }
}

/** Base64url and hex, as the client sees them. */
type Sealed = {
  readonly preimage: string
  readonly salt: string
  /** Of a login, whom it was begun for. */
  readonly username?: string
}
type Life = { readonly from: number; readonly until: number }

const issuer = 'quorate'
/** Two kinds of token under one key, of which neither passes for the other. */
const bearerAudience = 'quorate:auth:user'
const challengeAudience = 'quorate:auth:challenge'
const metadataClaim = 'https://custom/app_metadata'
const usernameClaim = 'https://custom/username'

/** Whoever calls, calls again with the same token: some two megabytes, and by its hash. */
const bearersKept = 4_096
type Known = {
  readonly bearer: Bearer
  /** In seconds, as the token says it. */
  readonly until: number
}

/** @param pem PKCS#8 of the Ed25519 key that bearer tokens are signed with */
export async function openTokens(pem: string): Promise<Tokens> {
  const key = readEd25519(pem)
  const secret = key.export({ type: 'pkcs8', format: 'der' })
  const publicKey = createPublicKey(key)
  const { x } = await exportJWK(publicKey)
  if (x === undefined) throw new TypeError('an Ed25519 key has an x')
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x })
  const bearers = new Kept<Known>(bearersKept)
  const sign = (claims: Record<string, unknown>, audience: string, { from, until }: Life) =>
    new SignJWT(claims)
      .setProtectedHeader({ typ: 'JWT', alg: 'EdDSA', kid })
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt(seconds(from))
      .setExpirationTime(seconds(until))
      .sign(key)
  const verify = async (token: string, audience: string, now: number) => {
    const options = { algorithms: ['EdDSA'], issuer, audience, currentDate: new Date(now) }
    const { payload } = await jwtVerify(token, publicKey, options)
    return payload
  }
  return {
    issue: async (bearer, life) => {
      const { orgId, userId, username, tokenKind, tokenId, session } = bearer
      const named = tokenId === undefined ? {} : { tokenId }
      const claims = {
        sub: orgId,
        jti: tokenId ?? session ?? crypto.randomUUID(),
        [usernameClaim]: username,
        [metadataClaim]: { orgId, userId, tokenKind, ...named },
      }
      return sign(claims, bearerAudience, life)
    },
    read: async (token, now) => {
      const name = toHex(sha256(toUtf8(token)))
      const known = bearers.get(name)
      if (known !== undefined && seconds(now) < known.until) return known.bearer
      return orFail('token.invalid', async () => {
        const claims = await verify(token, bearerAudience, now)
        const bearer = bearerOf(claims)
        if (claims.exp !== undefined) bearers.put(name, { bearer, until: claims.exp })
        return bearer
      })
    },
    sealChallenge: ({ preimage, salt, username }, life) =>
      sign(
        { preimage, salt, ...(username === undefined ? {} : { username }) },
        challengeAudience,
        life,
      ),
    openChallenge: (token, now) =>
      orFail('challenge.invalid', async () => {
        const { preimage, salt, username } = await verify(token, challengeAudience, now)
        return {
          ...{ preimage: textOf(preimage), salt: textOf(salt) },
          ...(username === undefined ? {} : { username: textOf(username) }),
        }
      }),
    keyFor: (purpose) => new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32)),
    keySet: { keys: [{ kty: 'OKP', crv: 'Ed25519', x, kid, alg: 'EdDSA', use: 'sig' }] },
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/** Whatever is wrong with a token, its bearer is told no more than that it is not good. */
async function orFail<T>(code: 'token.invalid' | 'challenge.invalid', read: () => Promise<T>) {
  try {
    return await read()
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw new Failure(code, {}, { cause })
    throw cause
  }
}

function bearerOf(claims: Readonly<Record<string, unknown>>): Bearer {
  const metadata: Readonly<Record<string, unknown>> = Object(claims[metadataClaim])
  const { tokenKind, tokenId } = metadata as { tokenKind?: unknown; tokenId?: unknown }
  const kind = tokenKinds.find((known) => known === tokenKind)
  if (kind === undefined) throw new errors.JWTInvalid()
  return {
    orgId: textOf(metadata['orgId']),
    userId: textOf(metadata['userId']),
    username: textOf(claims[usernameClaim]),
    tokenKind: kind,
    ...(tokenId === undefined ? {} : { tokenId: textOf(tokenId) }),
    ...(tokenKind === 'Token' ? { session: textOf(claims['jti']) } : {}),
  }
}

const tokenKinds = ['Token', 'ServiceAccount', 'Pat', 'Temp'] as const

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new errors.JWTInvalid()
  return value
}
