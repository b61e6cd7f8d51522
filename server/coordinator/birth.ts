import { randomBytes } from 'node:crypto'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { isCertified, sealKeyCertificate } from '@quorate/authority/key-certificate'
import type { Manifest } from '@quorate/authority/manifest'
import type { SessionCall } from '@quorate/wire/link'
import type { Links } from '../link/links.ts'
import type { CeremonyOutcome } from './ceremony.ts'
import type { DriveLog } from './drive.ts'
import { whenFree } from './when-free.ts'

/** A round of a key generation between seven signers, on a machine that has other things to do. */
const roundMsMax = 10_000

export type BirthWorld = {
  readonly links: Links
  readonly manifest: Manifest
  readonly log: DriveLog
}

/** @throws Failure `signers.unavailable` unless all are there, since all must take part */
export function requireAll({ links, manifest }: BirthWorld): void {
  const connected = links.connected()
  const missing = manifest.signers.flatMap(({ id }, i) => (connected.includes(i + 1) ? [] : [id]))
  if (missing.length > 0) throw new Failure('signers.unavailable', { missing })
}

type Asked = { readonly id: Uint8Array; readonly opening: SessionCall }

/**
 * One key generation by all signers, to the certificate that all have signed.
 * @throws Failure `signers.unavailable`, `request.refused`, `signing.failed`
 */
export async function birth(
  { links, manifest, log }: BirthWorld,
  ask: (nonce: Uint8Array) => Asked,
): Promise<Uint8Array> {
  const participants = manifest.signers.map((_, i) => i + 1)
  const carrier = { links, manifest, protocol: 'dkg', deadlineMs: roundMsMax } as const
  const outcome = await whenFree(() => {
    const asked = ask(new Uint8Array(randomBytes(32)))
    return { ...carrier, ...asked, participants, rounds: undefined }
  })
  if (outcome.kind !== 'done') throw failureOf(outcome, manifest, log)
  const said = participants.map((signer) => outcome.endings.get(signer))
  const certified = said.flatMap((ending) => (ending?.kind === 'certified' ? [ending] : []))
  const [first] = certified
  const isOne =
    first !== undefined &&
    certified.length === participants.length &&
    certified.every(({ statement }) => equalBytes(statement, first.statement))
  if (!isOne) throw new Failure('signing.failed', { reason: 'the signers made different keys' })
  const signatures = certified.map(({ signature }) => signature)
  const certificate = sealKeyCertificate(first.statement, signatures)
  if (!isCertified(certificate, manifest))
    throw new Failure('signing.failed', { reason: 'the key is not certified by every signer' })
  return certificate
}

/** All n must take part, so that one signer's silence or refusal ends it. */
function failureOf(
  outcome: Exclude<CeremonyOutcome, { kind: 'done' }>,
  { signers }: Manifest,
  log: DriveLog,
): Failure {
  const id = signers[outcome.signer - 1]?.id ?? ''
  log.warn({ signer: id, kind: outcome.kind }, 'a key generation ended')
  if (outcome.kind === 'missed' || outcome.kind === 'unready' || outcome.kind === 'busy')
    return new Failure('signers.unavailable', { missing: [id] })
  if (outcome.kind === 'refused') return new Failure('request.refused', { reason: outcome.reason })
  return new Failure('signing.failed', { reason: `the key generation ended at ${id}` })
}
