import { toHex } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { Log, LogEvent } from './log.ts'
import type { Stop, Store } from './store/store.ts'

/** What an operator sees of an organization that stands still, at the stop and at every start. */
export function alarmOf(stop: Stop): LogEvent {
  const { organization, detail } = stop
  return { event: 'alarm', organization: toHex(organization), detail, stop: nameOfStop(stop) }
}

/**
 * Only for an operator who has looked at the evidence: the organization goes on from the state
 * before it. The name is that of this one stop, so that a setting which nobody removes lifts no
 * later one.
 */
export function liftStop(store: Store, name: string, log: Log): void {
  const found = store.memory.stops().find((stop) => nameOfStop(stop) === name)
  if (found === undefined) return log({ event: 'stop-not-found', stop: name })
  store.commit(() => store.memory.liftStop(found.organization))
  log({ ...alarmOf(found), event: 'stop-lifted' })
}

function nameOfStop({ organization, evidence }: Stop): string {
  return toHex(hashOf('quorate/stop/1', organization, evidence))
}
