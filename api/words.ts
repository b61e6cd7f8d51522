import { z } from 'zod'

import { storeId } from '@quorate/authority/key-certificate'
import { payloadBytesMax } from '@quorate/authority/request'

import { supported } from './unsupported.ts'

/** In paths and bodies any text is an id; one that nobody has is not found, not malformed. */
export const id = z.string().max(256)
/** UTC with milliseconds, as `Date.prototype.toISOString` prints it. */
export const date = z.string()
/** Whole number in the smallest unit. 78 digits hold 2^256. Signers read zeros before it alike. */
export const amount = z.string().regex(/^[0-9]{1,78}$/, 'a whole number in the smallest unit')
/** Whole bytes, with or without `0x`: clients send both. */
export const hexBytes = z
  .string()
  .max(payloadBytesMax)
  .regex(/^(0x)?[0-9a-fA-F]*$/, 'whole bytes in hex')
  .refine((text) => text.length % 2 === 0, 'whole bytes in hex')
/** The caller's own handle of a thing, and what makes a retry safe. */
export const externalId = z.string().min(1).max(100)
export const name = z.string().min(1).max(100)
/** What a wallet or a key is called, and a wallet's note of its caller's: empty is none. */
export const nickname = z.string().max(100)
/** A mail address, of which RFC 5321 allows 254 characters, and what is typed around it. */
export const username = z.string().min(1).max(256)
/** Which networks there are is the operator's configuration, so the server says, not the schema. */
export const network = z.string().regex(/^[A-Za-z0-9]{1,40}$/, 'the name of a network')

export const scheme = supported(['ECDSA', 'EdDSA', 'Schnorr', 'DH'])
export const store = supported([storeId])
export const curve = supported(['secp256k1', 'ed25519', 'stark'])

/** Who asked: the user, and the token if a long-lived one was used. */
export const requester = z.object({ userId: z.string(), tokenId: z.string().optional() })
/** A body given back as it came. */
export const echo = z.looseObject({ kind: z.string() })
/** What the chain family knows besides, such as nonce and gas. */
export const details = z.record(z.string(), z.unknown())
/** The signers' certificate: canonical bytes in hex, which `client.verifyAddress` checks. */
export const certificate = z.string()
/** RSA of 16384 bits is 2.9 kB of PEM. */
const pemLengthMax = 4096
export const publicKeyPem = z
  .string()
  .max(pemLengthMax)
  .regex(
    /^-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\r\n]+-----END (RSA )?PUBLIC KEY-----\s?$/,
    'a public key as PEM',
  )
