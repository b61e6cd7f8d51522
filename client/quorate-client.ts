import { memberOf, request } from './session.ts'
import { trustFrom, Untrusted, type Trust } from './trust.ts'
import {
  verifyAddress,
  type CertifiedWallet,
  type VerifiedAddress,
  type WalletProof,
} from './verify-address.ts'

export type QuorateClient = {
  readonly trust: () => Promise<Trust>
  /** @throws Untrusted when the wallet's address is not that of a certified key of ours, in force */
  readonly verifyAddress: (
    wallet: CertifiedWallet,
    expected?: { readonly owner?: string },
  ) => Promise<VerifiedAddress>
}

/** @param options `genesis`: the pinned 32 bytes as hex; everything else follows from them */
export function quorateClient(options: {
  readonly baseUrl: string
  readonly authToken: string
  readonly genesis: string
}): QuorateClient {
  let known: Promise<Trust> | undefined
  const trust = () => (known ??= fetchTrust(options))
  return {
    trust,
    verifyAddress: async (wallet, expected) =>
      verifyAddress(wallet, await fetchProof(options, wallet.id), await trust(), expected),
  }
}

async function fetchTrust(options: Parameters<typeof quorateClient>[0]): Promise<Trust> {
  const { baseUrl, authToken: token, genesis } = options
  const answer = await request(baseUrl, { method: 'GET', path: '/orgs/trust', token })
  return trustFrom(genesis, {
    preimage: memberOf(answer, 'preimage'),
    payload: memberOf(answer, 'payload'),
    salt: memberOf(answer, 'salt'),
    manifest: memberOf(answer, 'manifest'),
  })
}

async function fetchProof(
  { baseUrl, authToken: token }: Parameters<typeof quorateClient>[0],
  walletId: string,
): Promise<WalletProof> {
  const path = `/wallets/${encodeURIComponent(walletId)}/proof`
  const answer = await request(baseUrl, { method: 'GET', path, token })
  const steps: unknown =
    typeof answer === 'object' && answer !== null && 'steps' in answer ? answer.steps : undefined
  if (!Array.isArray(steps)) throw new Untrusted('The wallet has no proof.')
  return {
    steps: steps.map((item: unknown) => ({
      step: memberOf(item, 'step'),
      certificate: memberOf(item, 'certificate'),
    })),
  }
}
