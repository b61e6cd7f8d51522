import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { organizationTable, proposalTable } from '@quorate/authority/records'
import type { RootQuorum, Settings } from '@quorate/authority/settings'
import { settingsOf } from '@quorate/authority/standing'
import type { Root } from '../auth/log.ts'

/** In the wire's words. */
export function settingsEntity(settings: Settings) {
  const { recovery, relyingParties, issuers, breakGlass } = settings
  return {
    ...settings,
    relyingParties: relyingParties.map(({ id, origins }) => ({ id, origins: [...origins] })),
    passwordProtectedKeys: settings.passwordProtectedKeys === 'on',
    passwords: settings.passwords === 'on',
    recovery: {
      waitMs: recovery.waitMs,
      usesWhileWaiting: recovery.usesWhileWaiting === 'allowed',
    },
    issuers: issuers.map(({ use, issuer, clientIds, redirectUris }) => ({
      ...{ use, issuer, clientIds: [...clientIds], redirectUris: [...redirectUris] },
    })),
    requireChecked: [...settings.requireChecked],
    breakGlass: {
      ...breakGlass,
      members: breakGlass.members.map((member) => nameOf('user', member)),
    },
  }
}

export function rootQuorumEntity({ needed, members }: RootQuorum) {
  return { needed, members: members.map((member) => nameOf('user', member)) }
}

/** What stands in the records now. */
export function standing(root: Root) {
  const organization = root.find(organizationTable)
  if (organization === undefined) throw new TypeError('an organization begins with its genesis')
  return {
    settings: settingsEntity(settingsOf(root)),
    rootQuorum: rootQuorumEntity(organization.rootQuorum),
  }
}

export type Proposal = {
  readonly proposal: Uint8Array
  readonly settings: Settings
  readonly rootQuorum: RootQuorum
}

/** @returns nothing for one that has come into force, or that waited too long */
export function proposalEntity(root: Root, made: Proposal, now: number) {
  const { proposal, settings, rootQuorum } = made
  const record = root.find(proposalTable, proposal)
  if (record === undefined || now > record.expiresAt) return undefined
  return {
    proposal: toHex(proposal),
    settings: settingsEntity(settings),
    rootQuorum: rootQuorumEntity(rootQuorum),
    signedBy: record.signedBy.map(({ user }) => nameOf('user', user)),
    expiresAt: new Date(record.expiresAt).toISOString(),
  }
}
