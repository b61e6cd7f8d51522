import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fingerprintOf } from '../credential.ts'
import {
  credentialTable,
  frozenTable,
  organizationTable,
  settingsTable,
  userTable,
} from '../records.ts'
import { defaultSettings, recoveryWaitMsMax } from '../settings.ts'
import { Company, type Member } from '../testing/company.ts'
import { t0 } from '../testing/world.ts'

const dayMs = 24 * 60 * 60_000
const site = { id: 'example.com', origins: ['https://app.example.com'] }

function change(author: Member, company: Company, body: object, time = t0) {
  const wish = { method: 'PUT', path: '/orgs/settings', body, time }
  return { kind: 'settings', evidence: company.ask(author, wish), time } as const
}

/** An organization whose root quorum is two of three. */
function governed() {
  const company = new Company()
  const { admin } = company
  const [second, third] = [employee(company), employee(company)]
  const members = [admin, second, third].map(({ name }) => name)
  company.apply(change(admin, company, { rootQuorum: { needed: 2, members } }))
  return { company, admin, second, third }
}

function employee(company: Company): Member {
  return company.makeEndUser({ kind: 'employee', origin: 'invited' })
}

function settingsIn(company: Company) {
  return company.find(settingsTable) ?? defaultSettings
}

describe('settings of an organization', () => {
  it('change by its one founder alone, and what is not named stays', () => {
    const company = new Company()
    const asked = { settings: { relyingParties: [site], passwords: true } }
    const done = company.apply(change(company.admin, company, asked))
    assert.ok(done.kind === 'settings' && done.inForce === 'yes')
    const further = { settings: { enrolment: { endUsers: 'open' }, recovery: { waitMs: 5 } } }
    company.apply(change(company.admin, company, further))
    assert.deepEqual(settingsIn(company), {
      ...defaultSettings,
      relyingParties: [site],
      passwords: 'on',
      enrolment: { employees: 'confirmed', endUsers: 'open' },
      recovery: { waitMs: 5, usesWhileWaiting: 'refused' },
    })
  })

  it('say whose word prices and screenings are, one and the other, and may say it otherwise', () => {
    const company = new Company()
    const say = (factSources: object) =>
      company.apply(change(company.admin, company, { settings: { factSources } }))
    assert.deepEqual(settingsIn(company).factSources, { prices: 'Server', screenings: 'Server' })
    say({ prices: 'Signer' })
    assert.deepEqual(settingsIn(company).factSources, { prices: 'Signer', screenings: 'Server' })
    say({ prices: 'Server', screenings: 'Signer' })
    assert.deepEqual(settingsIn(company).factSources, { prices: 'Server', screenings: 'Signer' })
  })

  it('are nobody else’s to change, whatever he may do besides', () => {
    const company = new Company()
    const asked = change(employee(company), company, { settings: { passwords: true } })
    assert.equal(company.refusal(asked), 'the author is not of the root quorum')
  })

  it('are not changed by a key that the server keeps under a password', () => {
    const company = new Company()
    const { admin } = company
    company.apply(change(admin, company, { settings: { passwordProtectedKeys: true } }))
    const name = [admin.user, fingerprintOf(admin.by.spki)] as const
    company.alter(credentialTable, [...name], { kind: 'PasswordProtectedKey' })
    const asked = change(admin, company, { settings: { passwords: true } })
    assert.equal(company.refusal(asked), 'the credential may not speak for the root quorum')
  })

  it('stay while the organization is frozen', () => {
    const company = new Company()
    company.write(frozenTable, [company.organization], { freezes: [new Uint8Array(32)] })
    const asked = change(company.admin, company, { settings: { passwords: true } })
    assert.equal(company.refusal(asked), 'the organization is frozen')
  })

  it('wait until enough members have signed for the same outcome', () => {
    const { company, admin, second } = governed()
    const body = { settings: { relyingParties: [site] } }
    const first = company.apply(change(admin, company, body))
    assert.ok(first.kind === 'settings' && first.inForce === 'no')
    assert.deepEqual(settingsIn(company), defaultSettings)
    // In other words, and the same outcome.
    const words = { settings: { ...body.settings, passwords: false }, rootQuorum: undefined }
    const last = company.apply(change(second, company, words))
    assert.ok(last.kind === 'settings' && last.inForce === 'yes')
    assert.deepEqual(settingsIn(company).relyingParties, [site])
  })

  it('do not change by one member who signs twice', () => {
    const { company, admin } = governed()
    const body = { settings: { passwords: true } }
    company.apply(change(admin, company, body))
    const again = company.apply(change(admin, company, body))
    assert.ok(again.kind === 'settings' && again.inForce === 'no')
  })

  it('do not change by two members who want different things', () => {
    const { company, admin, second } = governed()
    company.apply(change(admin, company, { settings: { passwords: true } }))
    const other = { settings: { passwords: true, requireChecked: ['keys.createKey'] } }
    const done = company.apply(change(second, company, other))
    assert.ok(done.kind === 'settings' && done.inForce === 'no')
  })

  it('forget a proposal after a week', () => {
    const { company, admin, second } = governed()
    const body = { settings: { passwords: true } }
    company.apply(change(admin, company, body))
    const late = company.apply(change(second, company, body, t0 + 7 * dayMs + 1))
    assert.ok(late.kind === 'settings' && late.inForce === 'no')
    const inTime = company.apply(change(admin, company, body, t0 + 14 * dayMs))
    assert.ok(inTime.kind === 'settings' && inTime.inForce === 'yes')
  })

  it('do not count a signature of a credential that has been revoked since', () => {
    const { company, admin, second } = governed()
    const body = { settings: { passwords: true } }
    company.apply(change(second, company, body))
    const name = [second.user, fingerprintOf(second.by.spki)] as const
    company.alter(credentialTable, [...name], { status: 'archived' })
    const done = company.apply(change(admin, company, body))
    assert.ok(done.kind === 'settings' && done.inForce === 'no')
  })

  it('do not count a signature of a member who has been frozen since', () => {
    const { company, admin, second } = governed()
    const body = { settings: { passwords: true } }
    company.apply(change(second, company, body))
    company.freeze(second.user)
    const done = company.apply(change(admin, company, body))
    assert.ok(done.kind === 'settings' && done.inForce === 'no')
  })

  it('leave a member of the quorum who can lift a freeze', () => {
    const company = new Company()
    const { admin } = company
    const other = employee(company)
    company.freeze(other.user)
    const members = (...of: readonly Member[]) => ({
      rootQuorum: { needed: 1, members: of.map(({ name }) => name) },
    })
    const alone = change(admin, company, members(other))
    assert.equal(company.refusal(alone), 'nobody would be left to lift a freeze')
    company.apply(change(admin, company, members(admin, other)))
  })

  it('do not count a member who has left the quorum since', () => {
    const { company, admin, second, third } = governed()
    const body = { rootQuorum: { needed: 1, members: [admin.name] } }
    company.apply(change(second, company, body))
    const organization = company.find(organizationTable)
    assert.ok(organization)
    const members = [admin.user, third.user]
    company.write(organizationTable, [], { ...organization, rootQuorum: { needed: 2, members } })
    const done = company.apply(change(admin, company, body))
    assert.ok(done.kind === 'settings' && done.inForce === 'no')
  })

  it('use up the signatures that brought them about', () => {
    const { company, admin, second } = governed()
    const [on, off] = [true, false].map((passwords) => ({ settings: { passwords } }))
    for (const body of [on, off])
      for (const author of [admin, second]) company.apply(change(author, company, body ?? {}))
    const done = company.apply(change(admin, company, on ?? {}))
    assert.ok(done.kind === 'settings' && done.inForce === 'no')
    assert.equal(settingsIn(company).passwords, 'off')
  })

  it('are refused where they say nothing, nothing new or nothing known', () => {
    const company = new Company()
    const refusals = [
      [{}, 'nothing would change'],
      [{ settings: { passwords: false } }, 'nothing would change'],
      [{ setings: {} }, 'setings is unknown'],
      [{ settings: { password: true } }, 'password is unknown'],
      [{ settings: { recovery: { wait: 1 } } }, 'wait is unknown'],
      [{ settings: [] }, 'the body is not an object'],
    ] as const
    for (const [body, reason] of refusals)
      assert.equal(company.refusal(change(company.admin, company, body)), reason)
  })

  it('hold nothing that would be wrong', () => {
    const company = new Company()
    const issuer = { use: 'sso', issuer: 'https://id.example.com', clientIds: ['a'] }
    const refusals = [
      [{ relyingParties: [{ ...site, origins: [] }] }, 'a relying party has an origin'],
      [{ relyingParties: [site, site] }, 'relyingParties name one twice'],
      [{ relyingParties: Array(17).fill(site) }, 'relyingParties are too many'],
      [
        { relyingParties: [{ ...site, origins: ['https://example.org'] }] },
        'https://example.org is no origin of example.com',
      ],
      [{ relyingParties: [{ ...site, extra: 1 }] }, 'extra is unknown'],
      [{ userVerification: 'discouraged' }, 'userVerification is not one of preferred, required'],
      [{ enrolment: { employees: 'none' } }, 'employees is not one of confirmed, open'],
      [{ passwords: 'on' }, 'passwords is not true or false'],
      [{ factSources: { prices: 'signer' } }, 'prices is not one of Server, Signer'],
      [{ factSources: { screenings: 'Vendor' } }, 'screenings is not one of Server, Signer'],
      [{ factSources: { fees: 'Signer' } }, 'fees is unknown'],
      [{ recovery: { waitMs: -1 } }, `waitMs is not from 0 to ${recoveryWaitMsMax}`],
      [
        { recovery: { waitMs: recoveryWaitMsMax + 1 } },
        `waitMs is not from 0 to ${recoveryWaitMsMax}`,
      ],
      [{ issuers: [issuer, issuer] }, 'issuers name one twice'],
      [{ issuers: [{ ...issuer, clientIds: [] }] }, 'an issuer has a client'],
      [{ issuers: [{ ...issuer, use: 'all' }] }, 'use is not one of social, sso'],
      [
        { issuers: [{ ...issuer, issuer: 'http://id.example.com' }] },
        'http://id.example.com is not an address with https',
      ],
      [
        { issuers: [{ ...issuer, redirectUris: ['javascript:1'] }] },
        'javascript:1 is not an address with https',
      ],
      [{ requireChecked: ['keys.none'] }, 'nobody signs the operation keys.none'],
      [{ requireChecked: ['keys.getKey'] }, 'nobody signs the operation keys.getKey'],
      [{ requireChecked: ['toString'] }, 'nobody signs the operation toString'],
    ] as const
    for (const [settings, reason] of refusals)
      assert.equal(company.refusal(change(company.admin, company, { settings })), reason)
  })
})

describe('a root quorum', () => {
  it('is of employees who could sign the next change', () => {
    const company = new Company()
    const colleague = employee(company)
    const endUser = company.makeEndUser()
    const newcomer = company.makeEndUser({ kind: 'employee' }, 'unconfirmed')
    const gone = employee(company)
    company.alter(userTable, [gone.user], { status: 'inactive' })
    const ask = (...members: readonly string[]) => ({ rootQuorum: { needed: 1, members } })
    for (const { name } of [endUser, newcomer, gone, company.machine, { name: 'us-nobody' }])
      assert.equal(
        company.refusal(change(company.admin, company, ask(company.admin.name, name))),
        `${name} is no employee with a confirmed credential`,
      )
    company.apply(change(company.admin, company, ask(colleague.name)))
    const asked = change(company.admin, company, { settings: { passwords: true } })
    assert.equal(company.refusal(asked), 'the author is not of the root quorum')
    company.apply(change(colleague, company, { settings: { passwords: true } }))
  })

  it('is never empty, never more than its members, and has each member once', () => {
    const company = new Company()
    const { name } = company.admin
    const refusals = [
      [{ needed: 0, members: [name] }, 'no such quorum can agree'],
      [{ needed: 2, members: [name] }, 'no such quorum can agree'],
      [{ needed: 1, members: [] }, 'no such quorum can agree'],
      [{ needed: '1', members: [name] }, 'needed is not a number'],
      [{ needed: 1, members: [name, name] }, 'members name one twice'],
      [{ needed: 1, members: Array.from({ length: 17 }, String) }, 'members are too many'],
    ] as const
    for (const [rootQuorum, reason] of refusals)
      assert.equal(company.refusal(change(company.admin, company, { rootQuorum })), reason)
  })

  it('changes only as the old one agrees', () => {
    const { company, admin, second } = governed()
    const rootQuorum = { needed: 1, members: [admin.name] }
    const first = company.apply(change(admin, company, { rootQuorum }))
    assert.ok(first.kind === 'settings' && first.inForce === 'no')
    company.apply(change(second, company, { rootQuorum }))
    assert.deepEqual(company.find(organizationTable)?.rootQuorum, {
      needed: 1,
      members: [admin.user],
    })
  })
})
