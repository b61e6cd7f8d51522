import { randomBytes } from 'node:crypto'
import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Manifest } from '@quorate/authority/manifest'
import type { Database } from '../database/database.ts'
import type { Links } from '../link/links.ts'
import type { Pair } from './attendance.ts'
import { pairCeremony } from './ceremony-ids.ts'
import type { DriveLog } from './drive.ts'
import type { Faults } from './faults.ts'
import { whenFree } from './when-free.ts'

/** A round of a pair setup is some tenths of a second of arithmetic, and both sides may have to queue. */
const roundMsMax = 10_000
/** Setups remembered as just made: more than those that signatures under way can still ask for. */
const madeMax = 1_000

/**
 * Before two signers can use ECDSA keys of an organization together they set up a few seeds: once,
 * for all its keys.
 */
export function openPairs(world: {
  readonly database: Database
  readonly links: Links
  readonly manifest: Manifest
  readonly log: DriveLog
  readonly faults: Faults
}) {
  const { database, links, manifest, log, faults } = world
  const ids = manifest.signers.map(({ id }) => id)
  const running = new Map<string, Promise<void>>()
  /** When the last setup of a pair came to its end; the newest last. */
  const made = new Map<string, number>()

  /**
   * All pairs that are missing, side by side. One that does not come about is missed when its two
   * are to sign together: other quorums need not wait for that.
   */
  async function setUpAll(organization: Uint8Array): Promise<void> {
    const known = await database
      .selectFrom('signer_pairs')
      .select(['low', 'high'])
      .where('organization', '=', organization)
      .execute()
    const all = ids.flatMap((_, i) => ids.slice(i + 1).map((__, j): Pair => [i + 1, i + j + 2]))
    const missing = all.filter(
      ([low, high]) => !known.some((pair) => pair.low === low && pair.high === high),
    )
    const since = performance.now()
    await Promise.allSettled(missing.map((pair) => setUp(organization, pair, since)))
  }

  /**
   * Once at a time for a pair, whoever asks, and not again for those who began before the last one
   * was made: a new setup ends every signature under way with the old one.
   *
   * @param since by `performance.now`: when that began which has found the pair missing
   * @throws Failure `signing.failed`
   */
  async function setUp(organization: Uint8Array, [a, b]: Pair, since: number): Promise<void> {
    const pair: Pair = [Math.min(a, b), Math.max(a, b)]
    const name = `${toHex(organization)}/${pair}`
    const present = running.get(name)
    if (present !== undefined) return present
    if ((made.get(name) ?? -1) >= since) return
    const started = run(organization, pair)
      .then(() => remember(name))
      .finally(() => running.delete(name))
    running.set(name, started)
    return started
  }

  function remember(name: string): void {
    made.delete(name)
    made.set(name, performance.now())
    const [oldest] = made.keys()
    if (made.size > madeMax && oldest !== undefined) made.delete(oldest)
  }

  async function run(organization: Uint8Array, participants: Pair): Promise<void> {
    const carrier = { links, manifest, protocol: 'pair', deadlineMs: roundMsMax } as const
    const outcome = await whenFree(() => {
      const nonce = new Uint8Array(randomBytes(32))
      const opening = { kind: 'pair', organization, participants, nonce } as const
      const id = pairCeremony(manifest.hash, opening)
      return { ...carrier, id, participants, opening, rounds: undefined }
    })
    if (outcome.kind === 'unpaired' || outcome.kind === 'spoiled')
      faults.burn(organization, outcome.signer, outcome.burned.filter(isIn(participants)))
    if (outcome.kind !== 'done') {
      const pair = participants.map((signer) => ids[signer - 1])
      log.warn({ pair, signer: ids[outcome.signer - 1], kind: outcome.kind }, 'no pair setup')
      throw new Failure('signing.failed', { reason: `no pair setup between ${pair.join(' and ')}` })
    }
    const [low, high] = participants
    await database
      .insertInto('signer_pairs')
      .values({ organization, low, high })
      .onConflict((conflict) => conflict.doNothing())
      .execute()
    await faults.mend(organization, participants)
  }

  return { setUpAll, setUp }
}
const isIn = (pair: Pair) => (signer: number) => pair.includes(signer)

export type Pairs = ReturnType<typeof openPairs>
