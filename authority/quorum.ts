import type { Trust } from './agreement/messages.ts'
import { verifyEd25519 } from './ed25519.ts'
import type { Manifest } from './manifest.ts'

/** A manifest as agreement sees it: who may vote and seal, and how many of them make a fact. */
export function quorumOf({ hash, quorum, signers }: Manifest): Trust {
  return {
    manifestHash: hash,
    n: signers.length,
    q: quorum,
    verify: (signer, message, signature) => {
      const identity = signers[signer - 1]?.identity
      return identity !== undefined && verifyEd25519(identity, message, signature)
    },
  }
}
