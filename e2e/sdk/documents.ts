import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '@quorate/devnet/child'
import type { Platform } from '../platform.ts'

const checkout = fileURLToPath(new URL('../..', import.meta.url))
const program = fileURLToPath(new URL('../run.ts', import.meta.url))
const demoMsMax = 60_000

export function documents(platform: Platform): void {
  describe('what the README promises', () => {
    it('as its first wallet is made by that very example', async () => {
      const [, example] = /```js\n([^]*?)```/.exec(read('README.md')) ?? []
      assert.ok(example)
      assert.ok(example.trim().split('\n').length <= 10)
      const folder = mkdtempSync(join(tmpdir(), 'quorate-readme-'))
      try {
        symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
        symlinkSync(platform.dataDir, join(folder, '.quorate'))
        writeFileSync(join(folder, 'first-wallet.mjs'), example)
        const { ended, output } = await run(['first-wallet.mjs'], { cwd: folder })
        assert.equal(ended, 'exit code 0', output)
        const [walletId = '', address] = output.trim().split(' ')
        const { address: read } = await (await platform.sdk()).wallets.getWallet({ walletId })
        assert.equal(read, address)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    it('as its demo is told to the end, and leaves no signer frozen', async (test) => {
      const start = performance.now()
      const { ended, output } = await run([program, 'demo'], { dataDir: platform.dataDir })
      const tookMs = Math.round(performance.now() - start)
      test.diagnostic(`demo: ${tookMs} ms`)
      assert.equal(ended, 'exit code 0', output)
      assert.ok(tookMs < demoMsMax)
      assert.equal(output.match(/→ Confirmed/g)?.length, 2)
      assert.match(output, /signer-2, process [0-9]+, is frozen/)
      assert.ok(!output.includes('\u001b'), 'no colours where there is no terminal')
      for (const { pid } of platform.bootstrap().processes.signers)
        assert.doesNotMatch(readFileSync(`/proc/${pid}/status`, 'utf8'), /^State:\tT/m)
      await platform.whole()
    })

    it('as its demo says what to do where no platform runs', async () => {
      const dataDir = mkdtempSync(join(tmpdir(), 'quorate-nothing-'))
      const { ended, output } = await run([program, 'demo'], { dataDir })
      rmSync(dataDir, { recursive: true })
      assert.equal(ended, 'exit code 1')
      assert.match(output, /No platform is running on .*npm start/)
    })
  })
}

const read = (file: string) => readFileSync(join(checkout, file), 'utf8')

type Where = { readonly cwd?: string; readonly dataDir?: string }

async function run(args: readonly string[], { cwd = checkout, dataDir }: Where) {
  let output = ''
  const child = await startChild({
    command: process.execPath,
    args,
    cwd,
    env: dataDir === undefined ? {} : { QUORATE_DATA: dataDir },
    onOutput: (chunk) => (output += chunk.toString()),
  })
  return { ended: await child.exited, output }
}
