import { readdirSync, readFileSync } from 'node:fs'
import { hasCode } from '@quorate/devnet/error-code'

/** In /proc/[pid]/stat, on every Linux of note. */
const ticksPerSecond = 100

export type Group = { readonly name: string; readonly pids: () => readonly number[] }

/** Says how much processor time, in milliseconds a run, each group of processes has taken since. */
export function watchProcessors(groups: readonly Group[]): (runs: number) => string {
  const before = groups.map(ticksOf)
  const ownBefore = process.cpuUsage()
  return (runs) => {
    const spent = groups.map((group, i) => {
      const ms = ((ticksOf(group) - (before[i] ?? 0)) * 1000) / ticksPerSecond
      return `${group.name} ${(ms / runs).toFixed(1)}`
    })
    const { user, system } = process.cpuUsage(ownBefore)
    const own = `this client ${((user + system) / 1000 / runs).toFixed(1)}`
    return `    processor, ms each: ${[...spent, own].join(', ')}`
  }
}

/** Its children come and go, and what they took stays with it. */
export function withChildren(pid: number): readonly number[] {
  const all = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  return [pid, ...all.map(Number).filter((one) => statOf(one)[1] === String(pid))]
}

const [userTicks, systemTicks] = [11, 12]
const [endedUserTicks, endedSystemTicks] = [13, 14]

function ticksOf({ pids }: Group): number {
  const ticks = [userTicks, systemTicks, endedUserTicks, endedSystemTicks]
  return pids()
    .map((pid) => statOf(pid))
    .flatMap((fields) => ticks.map((field) => Number(fields[field] ?? 0)))
    .reduce((sum, count) => sum + count, 0)
}

/** The fields of proc(5) from the third on: the second may contain spaces. */
function statOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return []
    throw error
  }
}
