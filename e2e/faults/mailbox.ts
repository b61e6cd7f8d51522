import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { exportLogCommand } from '@quorate/cli/export-log'
import { freezeCommand } from '@quorate/cli/freeze'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { until, type Platform } from '../platform.ts'
import { approvalOf, heldWallet } from '../sdk/held.ts'
import { colleague } from '../sdk/policies.ts'
import { beginRecovery, enrolWithRecovery, stage } from '../sdk/recovery.ts'
import { ruleAlone } from '../sdk/rulers.ts'

const digest = createHash('sha256').update('stands still').digest('hex')
const hash = { kind: 'Hash', hash: `0x${digest}` } as const
/** Signers look every five seconds, and the machine may be busy. Nobody waits for it: other tests are run. */
const waitMs = 40_000

/** @returns the tests of what becomes of it, once its time has come */
export function cancelledRecovery(platform: Platform): () => void {
  let cancelled: Awaited<ReturnType<typeof cancelRecovery>> | undefined
  describe('a statement that is laid into the mailbox while a recovery waits', () => {
    it('cancels it', async () => {
      // Its time passes while the others run, and whatever happens to the server meanwhile.
      cancelled = await cancelRecovery(platform)
    })
  })
  return () =>
    describe('a recovery that was cancelled by a statement', () => {
      after(() => ruleAlone(platform, { settings: { recovery: { waitMs: 0 } } }))

      it('lets nobody sign who came by it, though the log lets it come', async () => {
        assert.ok(cancelled, 'a recovery has been cancelled')
        const { at, customer, device, effectiveAt } = cancelled
        await until('its time has come', 2 * waitMs, () => Date.now() > Date.parse(effectiveAt))
        // The log has it that the recovery counts, and the server believes the log.
        const thief = await at.login(customer.username, device)
        const { walletId } = customer
        const stolen = thief.wallets.generateSignature({ walletId, body: hash })
        await assert.rejects(stolen, /the credential is not active/)
      })
    })
}

/** What signers have from the second mailbox, and the server and its log know nothing of. */
export function laidStatements(platform: Platform): void {
  describe('a statement that is laid into the mailbox', () => {
    it('stops a key while the server hangs, and after that was killed', async () => {
      const backend = await platform.sdk()
      const make = () => backend.wallets.createWallet({ body: { network: 'KeyECDSA' } })
      const [wallet, other] = [await make(), await make()]
      const sign = ({ id: walletId }: { id: string }) =>
        backend.wallets.generateSignature({ walletId, body: hash })
      assert.equal((await sign(wallet)).status, 'Signed')
      const log = await exported(platform)
      const pid = platform.server.pid()
      platform.server.freeze()
      try {
        const { privateKey } = platform.bootstrap().administrator
        await lay(platform, privateKey, ['--log', log, 'key', wallet.signingKey.id])
      } finally {
        platform.server.kill()
      }
      await platform.server.restarted(pid)
      await platform.whole()
      await assert.rejects(sign(wallet), /the key is frozen/)
      assert.equal((await sign(other)).status, 'Signed')
    })

    it('denies what waits for its approval, whoever approves it then', async () => {
      const [sdk, second] = [await platform.sdk(), await colleague(platform)]
      const walletId = await heldWallet(platform)
      const body = { kind: 'Message', message: '0x00' } as const
      const ask = async () => approvalOf(await sdk.wallets.generateSignature({ walletId, body }))
      const [denied, other] = [await ask(), await ask()]
      const approve = (approvalId: string) =>
        second.policies.createApprovalDecision({ approvalId, body: { value: 'Approved' } })
      const log = await exported(platform)
      const { privateKey } = platform.bootstrap().administrator
      await lay(platform, privateKey, ['--log', log, 'approval', denied])
      await assert.rejects(approve(denied), /the approval is not pending/)
      assert.equal((await approve(other)).status, 'Approved')
    })
  })
}

/** A recovery that waits, cancelled where only signers look. */
async function cancelRecovery(platform: Platform) {
  const at = await stage(platform)
  const customer = await enrolWithRecovery(at)
  const { userId, credentials } = customer
  await ruleAlone(platform, { settings: { recovery: { waitMs } } })
  const device = newKeyCredential()
  const { id, effectiveAt } = await beginRecovery(at, customer, device)
  const who = ['--log', await exported(platform), '--author', userId]
  await lay(platform, credentials.privateKey, [...who, 'recovery', id])
  return { at, customer, device, effectiveAt }
}

/** @returns the file */
async function exported(platform: Platform): Promise<string> {
  const { baseUrl, administrator } = platform.bootstrap()
  const file = join(platform.dataDir, `log-${randomUUID()}`)
  const lines: string[] = []
  const print = (line: string) => lines.push(line)
  const code = await exportLogCommand([baseUrl, file], administrator.authToken, print)
  assert.equal(code, 0, lines.join('\n'))
  return file
}

/** With a folder that no server owns, and every signer's word for having kept it. */
async function lay(platform: Platform, privateKey: string, what: readonly string[]) {
  const { dataDir } = platform
  const key = join(dataDir, `credential-${randomUUID()}`)
  writeFileSync(key, privateKey, { mode: 0o600 })
  const { genesis } = platform.bootstrap()
  const lines: string[] = []
  const code = await freezeCommand(
    [
      ...['--mailbox', join(dataDir, 'freeze-mailbox'), '--genesis', genesis, '--key', key],
      ...['--manifest', join(dataDir, 'cluster', 'manifest'), ...what],
    ],
    { print: (line) => lines.push(line), ask: () => assert.fail('nothing is asked') },
  )
  assert.equal(code, 0, lines.join('\n'))
}
