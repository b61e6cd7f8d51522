import { z } from 'zod'

import { readChildPath } from '@quorate/authority/child-path'
import { mayBeMaster } from '@quorate/authority/key-certificate'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { nothing, ofKey } from './paths.ts'
import { receipt } from './receipt.ts'
import {
  certificate,
  curve,
  date,
  hexBytes,
  id,
  nickname,
  requester,
  scheme,
  store,
} from './words.ts'

/** Whose the new key is to be: an end user’s now, or later. */
export const delegation = { delegateTo: id.optional(), delayDelegation: z.boolean().optional() }
type Delegation = {
  readonly delegateTo?: string | undefined
  readonly delayDelegation?: boolean | undefined
}

export function isOneDelegation({ delegateTo, delayDelegation }: Delegation): boolean {
  return delegateTo === undefined || delayDelegation !== true
}
export const notOneDelegation = { error: 'is now or later', path: ['delayDelegation'] }

/** A scheme on another's curve is nonsense or not served yet. Either may be left to the network. */
const pairs: ReadonlySet<string> = new Set([
  'ECDSA/secp256k1',
  'EdDSA/ed25519',
  'Schnorr/secp256k1',
  'DH/secp256k1',
  'ECDSA/stark',
])
type Choice = { readonly scheme?: string | undefined; readonly curve?: string | undefined }

export function isPair({ scheme, curve }: Choice): boolean {
  return scheme === undefined || curve === undefined || pairs.has(`${scheme}/${curve}`)
}
export const notAPair = { error: 'does not go with the scheme', path: ['curve'] }

/** Where under its master a key is to stand: the least free index unless a path is given. */
export const deriveFrom = z.strictObject({
  keyId: id,
  path: z
    .string()
    .superRefine((text, context) => {
      const read = readChildPath(text)
      if (!read.ok) context.addIssue({ code: 'custom', message: read.reason })
    })
    .optional(),
})

type Master = Choice & { readonly masterKey?: boolean | undefined }

function isMasterAllowed({ masterKey, scheme = '', curve = '' }: Master): boolean {
  return masterKey !== true || mayBeMaster({ scheme, curve })
}
const noMaster = {
  error:
    'goes with ECDSA and Schnorr keys on secp256k1: no standard derives others without the key',
  path: ['masterKey'],
}

function isNewOrChild({ masterKey, deriveFrom }: Master & { readonly deriveFrom?: unknown }) {
  return masterKey !== true || deriveFrom === undefined
}
const newAndChild = { error: 'is not of a key that is derived itself', path: ['masterKey'] }

type Birth = Choice & { readonly untweaked?: boolean | undefined }

function isMarkable({ untweaked, scheme }: Birth): boolean {
  return untweaked !== true || scheme === 'Schnorr'
}
const notMarkable = { error: 'goes with Schnorr keys', path: ['untweaked'] }

const key = z.object({
  id: z.string(),
  scheme,
  curve,
  /** Hex without `0x`: 33 bytes compressed on secp256k1 and stark, 32 on ed25519. */
  publicKey: z.string(),
  masterKey: z.boolean().optional(),
  /** Of a Schnorr key that signs as itself, and never as the output of a script tree. */
  untweaked: z.literal(true).optional(),
  derivedFrom: z.object({ keyId: z.string(), path: z.string() }).optional(),
  name: z.string().optional(),
  status: z.enum(['Active', 'Archived']),
  custodial: z.boolean(),
  dateCreated: date,
  dateDeleted: date.optional(),
  imported: z.boolean().optional(),
  exported: z.boolean().optional(),
  certificate,
})
export type Key = z.output<typeof key>

export const createKey = endpoint('keys.createKey', {
  summary:
    'Make a key: every signer draws its own share, none ever holds the whole. Or derive one.',
  body: z
    .strictObject({
      scheme,
      curve,
      name: nickname.optional(),
      masterKey: z.boolean().optional(),
      untweaked: z.boolean().optional(),
      deriveFrom: deriveFrom.optional(),
      storeId: store.optional(),
      ...delegation,
    })
    .refine(isPair, notAPair)
    .refine(isMasterAllowed, noMaster)
    .refine(isMarkable, notMarkable)
    .refine(isNewOrChild, newAndChild)
    .refine(isOneDelegation, notOneDelegation),
  returns: key,
})

export const listKeys = endpoint('keys.listKeys', {
  summary: 'Keys, newest first, page by page.',
  query: z.object({ ...pageQuery, owner: z.string().optional() }),
  returns: pageOf(key),
})

export const getKey = endpoint('keys.getKey', {
  summary: 'One key, with the wallets that stand on it.',
  params: ofKey,
  returns: key.extend({
    wallets: z.array(z.object({ id: z.string(), network: z.string() })),
    store: z.object({
      id: z.string(),
      kind: z.literal('Mpc'),
      keyId: z.string(),
      derivationPath: z.string().optional(),
    }),
  }),
})

export const updateKey = endpoint('keys.updateKey', {
  summary: 'Give a key another name, or none.',
  params: ofKey,
  body: z.strictObject({ name: nickname.nullable() }),
  returns: key,
})

export const deleteKey = endpoint('keys.deleteKey', {
  summary: 'Archive a key and every wallet on it: they sign nothing any more, for ever.',
  params: ofKey,
  body: nothing,
  returns: key.extend(receipt),
})

export const delegateKey = endpoint('keys.delegateKey', {
  summary: 'Give a key that was made for it to an end user, with every wallet on it, for ever.',
  params: ofKey,
  body: z.strictObject({ delegateTo: id }),
  returns: z.object({ keyId: z.string(), status: z.literal('Delegated') }),
})

/** Ours: the answer, with status 202, while a policy wants it approved. */
export const heldDerivation = z.object({
  keyId: z.string(),
  requester,
  requestBody: z.object({ domain: z.string(), seed: z.string() }),
  /** Of the approval. */
  status: z.enum(['Pending', 'Approved', 'Denied', 'Expired']),
  approvalId: z.string(),
  dateRequested: date,
})
export type HeldDerivation = z.output<typeof heldDerivation>

export const deriveKey = endpoint('keys.deriveKey', {
  summary:
    'Derive 32 bytes that only this key gives: for the same domain and seed always the same. ' +
    'Held by a policy, it is asked again once it is approved.',
  params: ofKey,
  // How long they may be is the signers' to say.
  body: z.strictObject({ domain: hexBytes, seed: hexBytes }),
  returns: z.union([
    z.object({
      output: z.string(),
      /** What the signers have proven, in hex: `client.verifyDerivation` checks the output by it. */
      proof: z.string(),
    }),
    heldDerivation,
  ]),
})
