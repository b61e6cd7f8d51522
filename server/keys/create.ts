import type { Manifest } from '@quorate/authority/manifest'
import type { Rules } from '@quorate/authority/reduce/judging'
import type { Evidence } from '@quorate/authority/step'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import type { SignedAction } from '../auth/use-action.ts'
import type { RawRequest } from '../http/route.ts'

/** Key generation by all signers. Nothing of it is seen until the root stream says so. */
export type CreateKey = (ask: {
  readonly organization: Uint8Array
  readonly evidence: Evidence
  /** Which of the keys that the request makes; the first unless it says so. */
  readonly index?: number
}) => Promise<{ readonly certificate: Uint8Array }>

export type CreationDeps = SettleDeps & {
  readonly createKey: CreateKey
  readonly manifest: Pick<Manifest, 'signers'>
  readonly rules: Pick<Rules, 'networkOf'>
  readonly takesWallets: (network: string) => boolean
}

/**
 * What a user's request brings into the root stream together with a key, or a key by itself. Of a
 * server that dies on the way nothing is seen: the same request again gets the key that was made for
 * it, shares without an owner are swept, and rows are made of what is in force alone.
 */
export async function createSettled(
  deps: CreationDeps,
  caller: Caller,
  raw: RawRequest,
  kind: {
    readonly item: 'key' | 'wallet'
    readonly bearsKey: (payload: string) => boolean
    readonly check: () => Promise<void>
  },
): Promise<SignedAction> {
  const { createKey } = deps
  const { organization } = caller
  const settled = await settleSigned(deps, caller, raw, {
    kind: kind.item,
    check: kind.check,
    factsOf: async ({ payload, evidence }) =>
      kind.bearsKey(payload)
        ? (await createKey({ organization, evidence: evidence(new Uint8Array()) })).certificate
        : new Uint8Array(),
  })
  return settled.action
}
