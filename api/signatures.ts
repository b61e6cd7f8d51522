import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { blockchainKind, delegation, transaction as unsignedTransaction, typedData } from './evm.ts'
import { pageOf, pageQuery } from './page.ts'
import { ofKey, ofWallet } from './paths.ts'
import { supportedKinds } from './unsupported.ts'
import { date, details, echo, externalId, hexBytes, id, network, requester } from './words.ts'

const common = {
  network: network.optional(),
  blockchainKind: blockchainKind.optional(),
  externalId: externalId.optional(),
}
const signatureBody = supportedKinds(
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('Hash'),
      hash: z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, '32 bytes in hex'),
      /** Empty for an output without scripts. Schnorr keys need one, no others have it. */
      taprootMerkleRoot: z
        .string()
        .regex(/^(0x)?([0-9a-fA-F]{64})?$/, '32 bytes in hex, or nothing')
        .optional(),
      ...common,
    }),
    z.strictObject({ kind: z.literal('Message'), message: hexBytes, ...common }),
    z.strictObject({
      kind: z.literal('Transaction'),
      transaction: unsignedTransaction,
      ...common,
    }),
    z.strictObject({ kind: z.literal('Eip191'), message: hexBytes, ...common }),
    z.strictObject({ kind: z.literal('Eip712'), ...typedData, ...common }),
    z.strictObject({ kind: z.literal('Eip7702'), ...delegation, ...common }),
  ]),
  ['Hash', 'Message', 'Transaction', 'Eip191', 'Eip712', 'Eip7702'],
)
export type SignatureBody = z.output<typeof signatureBody>

const encodedSignature = z.object({
  r: z.string(),
  s: z.string(),
  recid: z.int().min(0).max(3).optional(),
  encoded: z.string().optional(),
})
const keySignature = z.object({
  id: z.string(),
  keyId: z.string(),
  network: network.optional(),
  requester,
  requestBody: echo,
  status: z.enum(['Pending', 'Executing', 'Signed', 'Confirmed', 'Failed', 'Rejected']),
  reason: z.string().optional(),
  signature: encodedSignature.optional(),
  signatures: z.array(encodedSignature).optional(),
  signedData: z.string().optional(),
  txHash: z.string().optional(),
  fee: z.string().optional(),
  approvalId: z.string().optional(),
  externalId: z.string().optional(),
  details: details.optional(),
  dateRequested: date,
  datePolicyResolved: date.optional(),
  dateSigned: date.optional(),
  dateConfirmed: date.optional(),
})
const walletSignature = keySignature.extend({ walletId: z.string(), network })
/**
 * Read back later, the published type knows no network that is only a key, though creating it did.
 */
const walletSignatureRead = walletSignature.extend({
  network: network.transform((name) => (isKeyNetwork(name) ? undefined : name)),
})
export type KeySignature = z.output<typeof keySignature>
export type WalletSignature = z.output<typeof walletSignature>

function isKeyNetwork(name: string): boolean {
  return ['KeyECDSA', 'KeyEdDSA', 'KeyECDSAStark'].includes(name)
}

export const generateKeySignature = endpoint('keys.generateSignature', {
  summary: 'Sign with a key. The answer holds the signature already.',
  params: ofKey,
  body: signatureBody,
  returns: keySignature,
})

export const listKeySignatures = endpoint('keys.listSignatures', {
  summary: 'Signatures of a key, newest first, page by page.',
  params: ofKey,
  query: z.object(pageQuery),
  returns: pageOf(keySignature).extend({ keyId: z.string() }),
})

export const getKeySignature = endpoint('keys.getSignature', {
  summary: 'One signature of a key.',
  params: z.strictObject({ keyId: id, signatureId: id }),
  returns: keySignature,
})

export const generateWalletSignature = endpoint('wallets.generateSignature', {
  summary: 'Sign with a wallet, on the wallet’s network. The answer holds the signature already.',
  params: ofWallet,
  body: signatureBody,
  returns: walletSignature,
})

export const listWalletSignatures = endpoint('wallets.listSignatures', {
  summary: 'Signatures of a wallet, newest first, page by page.',
  params: ofWallet,
  query: z.object(pageQuery),
  // `keyId` is what the published type asks for; `walletId` is our addition.
  returns: pageOf(walletSignatureRead).extend({ keyId: z.string(), walletId: z.string() }),
})

export const getWalletSignature = endpoint('wallets.getSignature', {
  summary: 'One signature of a wallet.',
  params: z.strictObject({ walletId: id, signatureId: id }),
  returns: walletSignatureRead,
})
