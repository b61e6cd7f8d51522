import { idOf, nameOf } from '@quorate/core/id'
import type { Preimage } from '../request.ts'
import { credentialSetHash, unconfirmedOf } from '../standing.ts'
import type { Company, Member } from './company.ts'
import { openCompletion, type Opened } from './completion.ts'
import { requestOf, t0 } from './world.ts'

/** An end user whom the service account has asked in, and who has not registered yet. */
export function enrolled(company: Company, email = 'eve@example.test'): Uint8Array {
  const body = { email, kind: 'EndUser' }
  const evidence = company.ask(company.machine, { path: '/auth/registration/delegated', body })
  company.apply({ kind: 'user', evidence })
  return idOf(requestOf(evidence), 'user')
}

/** The challenge of a registration. */
export function opened(
  company: Company,
  user: Uint8Array,
  changed: Partial<Preimage> = {},
): Opened {
  const { organization } = company
  const way = { purpose: 'register', path: '/auth/registration' } as const
  return openCompletion({ organization, user, ...way, ...changed })
}

/** Somebody's word for all the credentials that do not count yet. */
export function confirmation(company: Company, user: Uint8Array, by: Member) {
  const set = unconfirmedOf({ find: company.find.bind(company) }, user, t0)
  const subjects = [
    { role: 'userId', id: user },
    { role: 'credentials', id: credentialSetHash(user, set) },
  ]
  const path = `/auth/users/${nameOf('user', user)}/confirm`
  return company.ask(by, { path, body: {}, preimage: { subjects } })
}

export function confirm(company: Company, user: Uint8Array): void {
  const evidence = confirmation(company, user, company.admin)
  company.apply({ kind: 'confirmation', evidence })
}
