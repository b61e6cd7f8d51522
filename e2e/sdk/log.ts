import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { exportLogCommand } from '@quorate/cli/export-log'
import { verifyLogCommand } from '@quorate/cli/verify-log'
import type { Platform } from '../platform.ts'

/** After the others, so that there is something to account for. */
export function accounts(platform: Platform): void {
  describe('an account of every signature', () => {
    it('is given by whoever has the log and the genesis, without any server', async (test) => {
      const file = join(platform.dataDir, 'exported.log')
      const { baseUrl, genesis, administrator } = platform.bootstrap()
      const said: string[] = []
      const print = (line: string) => said.push(line)
      assert.equal(await exportLogCommand([baseUrl, file], administrator.authToken, print), 0)
      assert.equal(await verifyLogCommand([file, genesis], print), 0, said.join('\n'))
      const last = said.at(-1) ?? ''
      test.diagnostic(last)
      const [, signatures = '0'] = / ([0-9]+) signatures, 0 faults/.exec(last) ?? []
      assert.ok(Number(signatures) > 10, last)
      assert.ok(said.some((line) => line.includes('permissions ManagedFullAdminAccess')))
      assert.ok(said.some((line) => line.includes(' on MyChain\n  wallets.transferAsset')))
      await isFound(file, genesis)
      rmSync(file)
    })
  })
}

/** A step that was taken out is missed, in the root stream and in a key's. */
async function isFound(file: string, genesis: string): Promise<void> {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  const uses = lines.findIndex((line) => line.startsWith('{"signature"'))
  const tampered = `${file}.tampered`
  for (const gone of [2, Math.floor(uses / 3)]) {
    const kept = lines.filter((_, i) => i !== gone)
    writeFileSync(tampered, kept.join('\n'))
    const said: string[] = []
    assert.equal(await verifyLogCommand([tampered, genesis], (line) => said.push(line)), 1)
    assert.ok(said.some((line) => line.startsWith('FAULT at ')))
  }
  rmSync(tampered)
}
