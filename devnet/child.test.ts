import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild, stopChildren } from './child.ts'

const shell = (script: string, onOutput: (chunk: Buffer) => void = () => undefined) => ({
  command: 'sh',
  args: ['-c', script],
  env: { ONLY: 'this' },
  onOutput,
})

describe('a child process', () => {
  it('inherits nothing of our environment', async () => {
    let text = ''
    const child = await startChild(shell('echo $ONLY $HOME', (chunk) => (text += chunk)))
    assert.equal(await child.exited, 'exit code 0')
    await sleep(20)
    assert.equal(text, 'this\n')
  })

  it('is asked to end, and killed with its own children when it does not', async () => {
    let text = ''
    const child = await startChild({
      ...shell('trap "" TERM; sleep 600 & echo $!; wait; sleep 600', (chunk) => (text += chunk)),
      stopSteps: [{ signal: 'SIGTERM', waitMs: 100 }],
    })
    while (text === '') await sleep(10)
    await Promise.all([child.stop(), child.stop()])
    assert.equal(await child.exited, 'signal SIGKILL')
    await sleep(50)
    assert.equal(isRunning(Number(text)), false)
  })

  it('can be stopped by whoever ends the process, though its starter still waits for it', async () => {
    const child = await startChild(shell('exec sleep 600'))
    await stopChildren()
    assert.equal(await child.exited, 'signal SIGTERM')
    await child.stop()
  })

  it('reports a program that is not there', async () => {
    const missing = { ...shell(''), command: '/nowhere/program' }
    const how = await startChild(missing).then(
      ({ exited }) => exited,
      (error: Error) => error.message,
    )
    assert.match(how, /ENOENT|exit code 127/)
  })
})

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && error.message.includes('ESRCH')) return false
    throw error
  }
  return !readState(pid).startsWith('Z')
}

function readState(pid: number): string {
  const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return status.slice(status.lastIndexOf(')') + 2)
}
