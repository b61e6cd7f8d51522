import type { Links } from '../../link/links.ts'
import { type Coordinator, openCoordinator } from '../coordinator.ts'
import type { Platform } from './platform.ts'

/** The one signer that has a lock, and the one that has heard of nothing. */
export const [knowing, unknowing] = [4, 1]

/** What a lock of a key's step has reached, and whose calls fail after that. */
export type Locking = { readonly call: Links['call']; readonly isLocked: () => boolean }

/** A lock reaches one signer alone, and from then on no call does: nobody else is asked to seal. */
export function lockedByOne({ links }: Pick<Platform, 'links'>): Locking {
  let isLocked = false
  const call: Links['call'] = async (signer, asked, ms) => {
    if (asked.kind !== 'agree' || asked.stream.kind !== 'key') return links.call(signer, asked, ms)
    const isLock = asked.request.kind === 'lock'
    const isAway = signer === (isLocked ? knowing : unknowing)
    if (isAway || (isLock && signer !== knowing)) return 'gone'
    const reply = await links.call(signer, asked, ms)
    isLocked ||= isLock
    return reply
  }
  return { call, isLocked: () => isLocked }
}

/** A server that dies when one signer has a lock on a key's step, and another one has never heard of it. */
export function openDying(platform: Pick<Platform, 'links' | 'database' | 'manifest'>): {
  readonly coordinator: Coordinator
  readonly isLocked: () => boolean
} {
  const { call, isLocked } = lockedByOne(platform)
  const dying: Links['call'] = (signer, asked, ms) =>
    isLocked() ? new Promise(() => undefined) : call(signer, asked, ms)
  const links = { ...away(platform, unknowing), call: dying }
  const log = { warn: () => undefined, error: () => undefined }
  return { coordinator: openCoordinator({ ...platform, links, log }), isLocked }
}

/** The links of a server for which this signer is not there. */
export function away({ links }: Pick<Platform, 'links'>, missing: number): Links {
  return {
    ...links,
    connected: () => links.connected().filter((signer) => signer !== missing),
    call: async (signer, asked, ms) =>
      signer === missing ? 'gone' : links.call(signer, asked, ms),
  }
}
