import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from '@quorate/devnet/child'
import { supervise } from './supervisor.ts'

const backOff = { firstMs: 20, mostMs: 80, calmMs: 60_000 }

describe('a supervised process', () => {
  it('is started again, later each time, when it ends by itself', async () => {
    const lines: string[] = []
    const service = { name: 'flaky', start: () => shell('exit 3') }
    const kept = await supervise(service, { say: (line) => lines.push(line), backOff })
    while (lines.length < 4) await sleep(10)
    await kept.stop()
    assert.deepEqual(
      lines.slice(0, 4),
      [0.02, 0.04, 0.08, 0.08].map(
        (seconds) => `flaky ended (exit code 3): starting it again in ${seconds} s`,
      ),
    )
  })

  it('is tried again when a start fails, and says why', async () => {
    const lines: string[] = []
    const attempts = [() => shell('exit 1'), () => Promise.reject(new Error('no disk')), sleeper]
    let restarts = 0
    const kept = await supervise(
      { name: 'database', start: () => (attempts.shift() ?? sleeper)() },
      { say: (line) => lines.push(line), onRestart: () => (restarts += 1), backOff },
    )
    while (restarts === 0) await sleep(10)
    assert.match(lines.join('\n'), /did not start \(no disk\)/)
    await kept.stop()
  })

  it('stays stopped, also when it was about to be started again', async () => {
    let starts = 0
    const start = () => {
      starts += 1
      return shell('exit 1')
    }
    const kept = await supervise({ name: 'flaky', start }, { say: () => undefined, backOff })
    await kept.current().exited
    await kept.stop()
    await sleep(100)
    assert.equal(starts, 1)
  })

  it('makes the first start fail for its caller', async () => {
    const start = () => Promise.reject(new Error('no disk'))
    await assert.rejects(supervise({ name: 'x', start }, { say: () => undefined }), /no disk/)
  })
})

function shell(script: string) {
  return startChild({ command: 'sh', args: ['-c', script], env: {}, onOutput: () => undefined })
}

function sleeper() {
  return shell('exec sleep 600')
}
