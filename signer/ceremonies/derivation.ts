import { decodeDerivation } from '@quorate/effects/instruction'
import { dhDerive } from '@quorate/threshold/dh/derive'
import { aborted, end, type Move } from './ceremony.ts'
import type { Signing } from './sign.ts'

/** The one round is the last: it needs the certificate and all that goes with it. */
export function startDerivation(signing: Signing): Move {
  const { deps, sid, share, message } = signing
  const refused = signing.refuses(['certified'])
  if (refused !== undefined) return end(refused)
  const derived = dhDerive({ keyShare: share, sid, ...decodeDerivation(message) }, deps.random)
  if (!derived.ok) return end(aborted(sid, { ...derived, burned: [] }))
  return { kind: 'last', out: [{ to: '*', body: derived.partial }] }
}
