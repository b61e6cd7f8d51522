import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopChildren } from '@quorate/devnet/child'
import { tryLock } from './lock.mjs'
import { type PlatformOptions, startPlatform } from './platform.ts'
import type { StartSettings } from './settings.ts'

type Parts = Pick<PlatformOptions, 'bootstrap' | 'entries' | 'backOff'>

/**
 * One platform in the foreground, until `stopSignal` is aborted. Answers the exit code.
 * @throws Error with one sentence for the person who started it
 */
export async function runPlatform(
  settings: StartSettings,
  stopSignal: AbortSignal,
  parts: Parts,
): Promise<number> {
  const lock = lockDataDir(settings.dataDir)
  const say = (line: string) => console.log(line)
  const stopRequested = new Promise<void>((resolve) => {
    stopSignal.addEventListener('abort', () => resolve())
    if (stopSignal.aborted) resolve()
  })
  try {
    const platform = await startPlatform({ ...settings, ...parts, say, stopSignal })
    say(
      `Quorate is ready at ${platform.baseUrl}\n  for people: http://localhost:${settings.port}\n  a passkey for the administrator: npm run quorate -- passkey`,
    )
    await stopRequested
    await platform.stop()
    return 0
  } catch (error) {
    if (stopSignal.aborted) return 0
    throw error
  } finally {
    await stopChildren()
    lock.release()
  }
}

/** Others may pass through the folder, not look into it: PostgreSQL may have to run as another user. */
const passable = 0o711

function lockDataDir(dataDir: string) {
  mkdirSync(dataDir, { recursive: true, mode: passable })
  chmodSync(dataDir, passable)
  const file = join(dataDir, 'lock')
  const lock = tryLock(file)
  if (lock === undefined)
    throw new Error(
      `Quorate is running on ${dataDir} already, as process ${readFileSync(file, 'utf8')}: stop it, or set QUORATE_DATA and QUORATE_PORT for another platform.`,
    )
  writeFileSync(file, String(process.pid))
  return lock
}
