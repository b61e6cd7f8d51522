import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { refused, type Ceremonies } from './ceremony.ts'
import type { CeremonyDeps } from './deps.ts'

export type PairCall = Extract<SessionCall, { kind: 'pair' }>

export function beginPair(_deps: CeremonyDeps, _c: Ceremonies, _call: PairCall): SessionReply {
  return refused('ECDSA is not available')
}
