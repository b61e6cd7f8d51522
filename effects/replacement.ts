import type { TransactionIntent, TransferIntent } from './intent.ts'

/** What only takes the place of another transaction: nothing of it is in its own payload. */
export type ReplacementIntent =
  | { readonly kind: 'cancellation' }
  | {
      readonly kind: 'speedUp'
      /** Whose effect it has; that of a cancellation is none. */
      readonly original: TransferIntent | TransactionIntent | undefined
    }

export function isReplacement<T extends { readonly kind: string }>(
  intent: T | ReplacementIntent,
): intent is ReplacementIntent {
  return intent.kind === 'cancellation' || intent.kind === 'speedUp'
}
