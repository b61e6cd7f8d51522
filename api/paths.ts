import { z } from 'zod'

import { id } from './words.ts'

/** The parameters of paths that several nouns lie behind. */
export const ofKey = z.strictObject({ keyId: id })
export const ofWallet = z.strictObject({ walletId: id })
export const ofTransfer = z.strictObject({ walletId: id, transferId: id })
export const ofTransaction = z.strictObject({ walletId: id, transactionId: id })

/** The body of what is said by its path alone. */
export const nothing = z.strictObject({})
