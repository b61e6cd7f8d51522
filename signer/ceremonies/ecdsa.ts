import { end, refused, type Move } from './ceremony.ts'
import type { Signing } from './sign.ts'

/** Filled when the protocol is there. */
export function startEcdsa(_signing: Signing): Move {
  return end(refused('ECDSA is not available'))
}
