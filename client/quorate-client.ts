import { memberOf, request } from './session.ts'
import { trustFrom, type Trust } from './trust.ts'
import { verifyAddress, type CertifiedWallet, type VerifiedAddress } from './verify-address.ts'

export type QuorateClient = {
  readonly trust: () => Promise<Trust>
  /** @throws Untrusted when the wallet's address is not that of a certified key of ours */
  readonly verifyAddress: (wallet: CertifiedWallet) => Promise<VerifiedAddress>
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
    verifyAddress: async (wallet) => verifyAddress(wallet, await trust()),
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
