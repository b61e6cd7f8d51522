import type { Evidence } from '@quorate/authority/step'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { Database } from '../database/database.ts'
import type { Limits, SimulatedSponsor, SponsorChange } from './sponsors.ts'

export type Wished = {
  readonly path: string
  readonly body: object
  readonly maxFee?: bigint
  readonly facts: Uint8Array
  readonly executeBefore?: number
}
/** A coordinator and whoever is behind it: four signers, or their stand-in. */
export type SignersUnderTest = {
  readonly organization: Uint8Array
  readonly coordinator: Pick<Coordinator, 'sign' | 'stepOf' | 'conclude' | 'judge' | 'settle'>
  /** The server's own rows of the log. */
  readonly database: Database
  readonly now: () => number
  /** With a key of its own: each test has one. */
  makeWallet(): Promise<SignedFor>
  /** As its user has signed it. @param names what its path names, by role in full */
  evidence(wish: Wished): Evidence
  /** The same of somebody who may make policies, and approve. */
  byAdministrator(wish: Pick<Wished, 'path' | 'body'>): Evidence
  /** Has them agree on it at a server that dies before it has kept it. */
  agreeUnkept(wallet: SignedFor, evidence: Evidence): Promise<void>
  know(name: string, id: Uint8Array): void
  /** Of a wallet that makes its payments until then as any other. */
  makeSponsor(wallet: SignedFor, limits?: Limits): Promise<SimulatedSponsor>
  changeSponsor(sponsor: SimulatedSponsor, change: SponsorChange): Promise<void>
  /** Until this moment is past by the clock of the server. */
  pass(moment: number): Promise<void>
  stop(): Promise<void>
}
export type SignedFor = {
  readonly walletId: string
  readonly key: Uint8Array
  readonly publicKey: Uint8Array
}
