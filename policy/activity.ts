import type { Outflow } from '@quorate/core/outflow'
import type { ActivityKind } from './policy.ts'

/** What somebody is about to do, as the signers have worked it out from what he signed. */
export type Activity =
  | {
      readonly kind: 'Wallets:Sign'
      /** All of the key's: a policy that names one of them is a policy on the key. */
      readonly wallets: readonly { readonly id: string; readonly tags: readonly string[] }[]
      readonly outflow: Outflow
      /** Counted already: a renewal signs once more what was agreed, a replacement lets nothing leave twice. */
      readonly isCounted: boolean
      /** Of a replacement: what it may cost more than was counted. */
      readonly excess: Outflow['fee']
    }
  | {
      readonly kind: Exclude<ActivityKind, 'Wallets:Sign' | 'Wallets:IncomingTransaction'>
      /** The permission or policy; empty for what does not exist yet. */
      readonly id: string
    }
