import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf } from '../credential.ts'
import { breakTable, credentialTable, settingsTable, userTable } from '../records.ts'
import { breakWaitMsMin, defaultSettings } from '../settings.ts'
import { Company, type Made, type Member } from '../testing/company.ts'
import { requestOf, t0 } from '../testing/world.ts'

const dayMs = 24 * 60 * 60_000
const waitMs = 2 * dayMs

let company: Company
let policyId: Uint8Array
let [anne, bert, carl]: Member[] = []
const member = (one: Member | undefined) => one ?? assert.fail('nobody')

beforeEach(() => {
  company = new Company()
  ;[anne, bert, carl] = [employee(), employee(), employee()]
  const body = {
    ...{ name: 'creation', activityKind: 'Policies:Create', rule: { kind: 'AlwaysTrigger' } },
    action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
  }
  const evidence = company.ask(company.admin, { path: '/v2/policies', body })
  company.apply({ kind: 'policy', evidence })
  policyId = idOf(requestOf(evidence), 'policy')
})

function employee(): Member {
  return company.makeEndUser({ kind: 'employee', origin: 'invited' })
}

function declare(needed: number, ...members: readonly (Member | undefined)[]): void {
  const breakGlass = { needed, members: members.map((one) => member(one).user), waitMs }
  company.write(settingsTable, [], { ...defaultSettings, breakGlass })
}

const path = () => `/v2/policies/${nameOf('policy', policyId)}/break`
function breaking(by: Member | undefined, time = t0): Made {
  const wish = { path: path(), body: {}, ids: { policyId }, time }
  return { kind: 'break', evidence: company.ask(member(by), wish), time }
}
function stopping(by: Member | undefined, time = t0): Made {
  const wish = { method: 'DELETE', path: path(), body: {}, ids: { policyId }, time }
  return { kind: 'breakEnd', evidence: company.ask(member(by), wish), time }
}
/** Is the making of policies still held, at this moment? */
function isHeld(time: number): boolean {
  const body = { name: 'other', activityKind: 'Policies:Modify', action: { kind: 'Block' } }
  const evidence = company.ask(company.admin, { path: '/v2/policies', body, time })
  const refusal = company.refusal({ kind: 'policy', evidence, time })
  assert.ok(refusal === undefined || refusal.startsWith('held by policy'), refusal)
  return refusal !== undefined
}

describe('a policy that nobody can change any more', () => {
  it('is ended by the quorum that was declared for it, when everybody else was warned', () => {
    declare(2, anne, bert)
    company.apply(breaking(anne))
    assert.equal(company.find(breakTable, policyId)?.effectiveAt, undefined)
    assert.equal(isHeld(t0 + 6 * dayMs), true)
    const later = t0 + dayMs
    company.apply(breaking(bert, later))
    assert.equal(company.find(breakTable, policyId)?.effectiveAt, later + waitMs)
    assert.equal(isHeld(later + waitMs - 1), true)
    assert.equal(isHeld(later + waitMs), false)
    const gone = /no such policy/
    assert.match(company.refusal(breaking(anne, later + waitMs)) ?? '', gone)
    assert.match(company.refusal(stopping(anne, later + waitMs)) ?? '', gone)
  })

  it('stays when no quorum is declared, and for whoever is not of it', () => {
    assert.match(company.refusal(breaking(anne)) ?? '', /no break-glass quorum/)
    declare(1, anne)
    assert.match(company.refusal(breaking(bert)) ?? '', /not of the break-glass quorum/)
    assert.match(company.refusal(breaking(company.admin)) ?? '', /not of the break-glass quorum/)
  })

  it('is not ended with a key that lies under a password with the server', () => {
    declare(1, anne)
    company.alter(settingsTable, [], { passwordProtectedKeys: 'on' })
    const { user, by } = member(anne)
    const name = [user, fingerprintOf(by.spki)]
    company.alter(credentialTable, name, { kind: 'PasswordProtectedKey' })
    assert.match(company.refusal(breaking(anne)) ?? '', /may not speak for the break-glass/)
  })

  it('is not ended by one member who signs twice, nor by signatures too far apart', () => {
    declare(2, anne, bert)
    company.apply(breaking(anne))
    company.apply(breaking(anne))
    assert.equal(company.find(breakTable, policyId)?.effectiveAt, undefined)
    company.apply(breaking(bert, t0 + 8 * dayMs))
    assert.equal(company.find(breakTable, policyId)?.effectiveAt, undefined)
  })

  it('is not ended with the signature of who could not give it any more', () => {
    declare(2, anne, bert)
    company.apply(breaking(anne))
    const { records } = company
    const { user, by } = member(anne)
    const name = [user, fingerprintOf(by.spki)]
    const changes = [
      () => company.alter(userTable, [user], { status: 'inactive' }),
      () => company.alter(credentialTable, name, { status: 'archived' }),
      () => company.alter(credentialTable, name, { rank: 'unconfirmed' }),
      () => company.freeze(user),
      () => declare(2, bert, carl),
    ]
    for (const change of changes) {
      company.records = records
      change()
      company.apply(breaking(bert))
      assert.equal(company.find(breakTable, policyId)?.effectiveAt, undefined)
    }
  })

  it('stays when any employee stops it in time, and can be asked for again', () => {
    declare(1, anne)
    assert.match(company.refusal(stopping(carl)) ?? '', /nobody ends/)
    company.apply(breaking(anne))
    assert.match(company.refusal(breaking(anne)) ?? '', /is ending already/)
    company.apply(stopping(carl, t0 + dayMs))
    assert.equal(isHeld(t0 + 9 * dayMs), true)
    company.apply(breaking(anne, t0 + dayMs))
    assert.equal(isHeld(t0 + dayMs + waitMs), false)
  })

  it('is stopped while everything is frozen too', () => {
    declare(1, anne)
    company.apply(breaking(anne))
    company.freeze(company.organization)
    assert.equal(company.refusal(stopping(carl)), undefined)
    assert.match(company.refusal(breaking(anne)) ?? '', /frozen/)
  })
})

describe('a break-glass quorum', () => {
  const change = (breakGlass: object) => {
    const body = { settings: { breakGlass } }
    const evidence = company.ask(company.admin, { method: 'PUT', path: '/orgs/settings', body })
    return { kind: 'settings', evidence } as const
  }

  it('is declared by the root quorum, of employees who can sign, with a day at least', () => {
    const members = [member(anne).name, member(bert).name]
    company.apply(change({ needed: 2, members, waitMs: breakWaitMsMin }))
    const declared = company.find(settingsTable)?.breakGlass
    assert.deepEqual(declared?.members, [member(anne).user, member(bert).user])
    const refusal = (of: object) => company.refusal(change(of)) ?? ''
    assert.match(refusal({ needed: 2, members, waitMs: breakWaitMsMin - 1 }), /waitMs is not/)
    assert.match(refusal({ needed: 3, members, waitMs }), /no such quorum/)
    const customer = company.makeEndUser()
    assert.match(refusal({ needed: 1, members: [customer.name], waitMs }), /is no employee/)
    company.apply(change({ needed: 0, members: [], waitMs: 0 }))
    assert.equal(company.find(settingsTable)?.breakGlass.needed, 0)
  })
})
