import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { defectsIn } from './said.ts'

/** A process of Node that is there to be killed. */
export type Mortal = {
  /** By itself or by others. */
  readonly ended: Promise<unknown>
  /** @returns what nothing excuses: that it had ended by itself, and each defect that it told of */
  kill(): Promise<readonly string[]>
}

export function startMortal(args: readonly string[]): Mortal {
  const child = spawn(process.execPath, args)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += String(chunk)))
  const ended = once(child, 'close')
  const kill = async () => {
    child.kill('SIGKILL')
    const [, signal] = await ended
    const alone = signal === 'SIGKILL' ? [] : [`a process ended by itself: ${output}`]
    return [...alone, ...defectsIn(output)]
  }
  return { ended, kill }
}
