import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf } from '../credential.ts'
import {
  activePoliciesTable,
  approvalTable,
  credentialTable,
  decisionsMax,
  decodeRecord,
  denialTable,
  encodeRecord,
  grantsTable,
  holdingPoliciesMax,
  policiesMax,
  policyTable,
  recordKey,
  requestTable,
  userTable,
} from '../records.ts'
import type { Evidence } from '../step.ts'
import { keyStream, type StreamId } from '../stream.ts'
import { Company, type Member } from '../testing/company.ts'
import { pathOf, requestOf, t0 } from '../testing/world.ts'
import { approvalId } from './approval.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

let company: Company
let key: { readonly id: Uint8Array; readonly name: string }
/** Employees who may do everything. */
let [anne, bert]: Member[] = []
beforeEach(() => {
  company = new Company()
  key = company.makeKey(company.machine)
  ;[anne, bert] = [employee(), employee()]
})

function employee(): Member {
  const made = company.makeEndUser({ kind: 'employee', origin: 'invited' })
  company.assign(made)
  return made
}
const member = (one: Member | undefined) => one ?? assert.fail('nobody')

type Group = {
  readonly of?: readonly Member[]
  readonly quorum?: number
  readonly initiatorCanApprove?: boolean
  readonly serviceAccountsCanApprove?: boolean
}
const groupOf = ({ of, ...group }: Group) => ({
  quorum: 1,
  approvers: of === undefined ? {} : { userId: { in: of.map(({ name }) => name) } },
  ...group,
})
const approvalBy = (...groups: readonly Group[]) => ({
  action: { kind: 'RequestApproval', approvalGroups: groups.map(groupOf) },
})
const signing = { name: 'signing', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } }

function makePolicy(body: object, author = company.admin): Uint8Array {
  const evidence = company.ask(author, { path: '/v2/policies', body })
  company.apply({ kind: 'policy', evidence })
  return idOf(requestOf(evidence), 'policy')
}
function changePolicy(policyId: Uint8Array, body: object | undefined, author = company.admin) {
  const path = `/v2/policies/${nameOf('policy', policyId)}`
  const method = body === undefined ? 'DELETE' : 'PUT'
  const evidence = company.ask(author, { method, path, body: body ?? {}, ids: { policyId } })
  return { kind: 'policyUpdate', evidence } as const
}

/** A signature, by whoever is named. */
function use(author = company.machine, of = key, time?: number) {
  const wish = { path: `/keys/${of.name}/signatures`, body: {}, ids: { keyId: of.id } }
  return company.ask(author, { ...wish, ...(time === undefined ? {} : { time }) })
}
const used = (evidence: Evidence, time = t0, of = key) =>
  ({ kind: 'use', evidence, key: of.id, time }) as const
const opening = (evidence: Evidence, time = t0, of = key) =>
  ({ kind: 'approval', evidence, key: of.id, time }) as const

function open(evidence: Evidence, time = t0): Uint8Array {
  const operation = company.apply(opening(evidence, time))
  return operation.kind === 'approval' ? operation.approval : assert.fail(operation.kind)
}
function decision(
  author: Member,
  approval: Uint8Array,
  { value = 'Approved', time = t0, of = key as { readonly id: Uint8Array } | null } = {},
) {
  const evidence = company.ask(author, {
    path: `/v2/policy-approvals/${nameOf('approval', approval)}/decisions`,
    ...{ body: { value, reason: 'so be it' }, ids: { approvalId: approval }, time },
  })
  return { kind: 'decision', evidence, time, ...(of === null ? {} : { key: of.id }) } as const
}
const decide = (...of: Parameters<typeof decision>) => {
  const operation = company.apply(decision(...of))
  return operation.kind === 'decision' ? operation.status : assert.fail(operation.kind)
}
function found(stream: StreamId, approval: Uint8Array) {
  const value = company.records.read(stream, recordKey(approvalTable, approval))
  return value === undefined ? undefined : decodeRecord(approvalTable, value)
}

describe('a policy', () => {
  it('is in force from then on, for what it is about, and is archived', () => {
    const policy = makePolicy({ ...signing, ...approvalBy({}) })
    assert.equal(company.find(policyTable, policy)?.status, 'active')
    assert.match(company.refusal(used(use())) ?? '', /^held by policy/)
    company.apply(changePolicy(policy, undefined))
    assert.deepEqual(company.find(activePoliciesTable, 'Wallets:Sign')?.policies, [])
    assert.equal(company.refusal(used(use())), undefined)
    assert.match(company.refusal(changePolicy(policy, undefined)) ?? '', /no such policy/)
  })

  it('stays with its kind of activity', () => {
    const policy = makePolicy({ ...signing, ...approvalBy({}) })
    const other = { ...signing, activityKind: 'Permissions:Modify', ...approvalBy({}) }
    assert.match(company.refusal(changePolicy(policy, other)) ?? '', /stays with its kind/)
  })

  it('names approvers and things that there are', () => {
    const unknown = { ...company.admin, name: nameOf('user', new Uint8Array(32)) }
    const of = (body: object) => {
      const evidence = company.ask(company.admin, { path: '/v2/policies', body })
      return company.refusal({ kind: 'policy', evidence }) ?? ''
    }
    assert.match(of({ ...signing, ...approvalBy({ of: [unknown] }) }), /there is no user/)
    const machine = [company.machine]
    assert.match(of({ ...signing, ...approvalBy({ of: machine }) }), /cannot approve/)
    const isAllowed = { of: machine, serviceAccountsCanApprove: true }
    assert.equal(of({ ...signing, ...approvalBy(isAllowed) }), '')
    const customer = company.makeEndUser()
    assert.match(of({ ...signing, ...approvalBy({ of: [customer] }) }), /cannot approve/)
    const filtered = { ...signing, ...approvalBy({}), filters: { ids: ['wa-nothing'] } }
    assert.match(of(filtered), /there is no wa-nothing/)
    company.alter(userTable, [member(anne).user], { status: 'archived' })
    assert.match(of({ ...signing, ...approvalBy({ of: [member(anne)] }) }), /there is no user/)
  })

  it('is one that can be read, and one of so many', () => {
    const making = (body: object) => {
      const evidence = company.ask(company.admin, { path: '/v2/policies', body })
      return company.refusal({ kind: 'policy', evidence }) ?? ''
    }
    assert.match(making({}), /that is no policy/)
    const known = Array.from({ length: policiesMax }, (_, i) => sha256(toUtf8(`${i}`)))
    company.write(activePoliciesTable, ['Permissions:Modify'], { policies: known })
    const one = { ...signing, activityKind: 'Permissions:Modify', ...approvalBy({}) }
    assert.match(making(one), /too many policies of one kind/)
    assert.equal(making({ ...one, activityKind: 'Permissions:Assign' }), '')
  })

  it('blocks, and no approval helps', () => {
    const blocking = makePolicy({ ...signing, action: { kind: 'Block' } })
    const evidence = use()
    assert.match(company.refusal(used(evidence)) ?? '', /^blocked by policy/)
    assert.match(company.refusal(opening(evidence)) ?? '', /^blocked by policy/)
    company.apply(changePolicy(blocking, undefined))
    makePolicy({ ...signing, ...approvalBy({}) })
    decide(company.admin, open(evidence))
    makePolicy({ ...signing, action: { kind: 'Block' } })
    assert.match(company.refusal(used(evidence)) ?? '', /^blocked by policy/)
  })

  it('is not on keys that were given away', () => {
    makePolicy({ ...signing, action: { kind: 'Block' } })
    const owner = company.makeEndUser()
    const own = company.makeKey(
      company.machine,
      { delegateTo: owner.name },
      { delegateTo: owner.user },
    )
    assert.equal(company.refusal(used(use(owner, own), t0, own)), undefined)
  })

  it('counts what a key has signed, and no renewal twice', () => {
    const counting = { rule: { kind: 'Count', limit: 2, timeframe: 10 } }
    makePolicy({ ...signing, ...counting, action: { kind: 'Block' } })
    const [first, second] = [use(), use()]
    company.apply(used(first))
    company.apply(used(second))
    assert.match(company.refusal(used(use())) ?? '', /^blocked by policy/)
    company.apply({ ...used(second), kind: 'renew' })
    const later = t0 + 10 * minuteMs
    assert.equal(company.refusal(used(use(company.machine, key, later), later)), undefined)
    const other = company.makeKey(company.machine)
    assert.equal(company.refusal(used(use(company.machine, other), t0, other)), undefined)
  })
})

describe('a request that is held', () => {
  it('goes on when its approvers have approved it, and not before', () => {
    makePolicy({ ...signing, ...approvalBy({ quorum: 2 }) })
    const evidence = use()
    assert.match(company.refusal(used(evidence)) ?? '', /^held by policy/)
    const approval = open(evidence)
    assert.match(company.refusal(used(evidence)) ?? '', /waits for its approval/)
    assert.equal(decide(company.admin, approval), 'pending')
    assert.match(company.refusal(used(evidence)) ?? '', /waits for its approval/)
    assert.equal(decide(member(anne), approval), 'approved')
    company.apply(used(evidence))
    assert.match(company.refusal(used(evidence)) ?? '', /has been used/)
  })

  it('is opened once, by itself, while it could still be used, and only if it is held', () => {
    const evidence = use()
    assert.match(company.refusal(opening(evidence)) ?? '', /no policy holds/)
    makePolicy({ ...signing, ...approvalBy({}) })
    const late = t0 + 11 * minuteMs
    assert.match(company.refusal(opening(evidence, late)) ?? '', /has expired/)
    open(evidence)
    assert.match(company.refusal(opening(evidence)) ?? '', /held already/)
    const spent = use()
    const marker = { slot: undefined, digests: [], fee: 0n, executeBefore: 0, time: t0 }
    const records = company.records
    const write = {
      key: recordKey(requestTable, requestOf(spent)),
      value: encodeRecord(requestTable, marker),
    }
    company.records = records.with(keyStream(key.id), write)
    assert.match(company.refusal(opening(spent)) ?? '', /has been used/)
  })

  it('is held by no more policies than an approval can name', () => {
    for (let i = 0; i < holdingPoliciesMax; i++) makePolicy({ ...signing, ...approvalBy({}) })
    assert.equal(company.refusal(opening(use())), undefined)
    makePolicy({ ...signing, ...approvalBy({}) })
    assert.match(company.refusal(opening(use())) ?? '', /too many policies hold/)
  })

  it('may wait longer than it had to be signed, and no longer than it may be used', () => {
    makePolicy({ ...signing, ...approvalBy({}) })
    const evidence = use()
    const approval = open(evidence)
    const later = t0 + 6 * dayMs
    assert.equal(decide(company.admin, approval, { time: later }), 'approved')
    assert.equal(company.refusal(used(evidence, later)), undefined)
    assert.match(company.refusal(used(evidence, t0 + 8 * dayMs)) ?? '', /has expired/)
    assert.match(company.refusal(used(use(), later)) ?? '', /has expired/)
  })

  it('is over at the time that the first of its policies gives it', () => {
    const asked = approvalBy({})
    makePolicy({ ...signing, action: { ...asked.action, autoRejectTimeout: 30 } })
    makePolicy({ ...signing, action: { ...asked.action, autoRejectTimeout: 60 } })
    const evidence = use()
    const approval = open(evidence)
    const expiresAt = t0 + 30 * minuteMs
    assert.equal(found(keyStream(key.id), approval)?.opening.expiresAt, expiresAt)
    const late = decision(company.admin, approval, { time: expiresAt + 1 })
    assert.match(company.refusal(late) ?? '', /not pending/)
    assert.equal(decide(company.admin, approval, { time: expiresAt }), 'approved')
  })

  it('ends for ever with the first denial', () => {
    makePolicy({ ...signing, ...approvalBy({ quorum: 2 }) })
    const evidence = use()
    const approval = open(evidence)
    decide(company.admin, approval)
    assert.equal(decide(member(anne), approval, { value: 'Denied' }), 'denied')
    assert.match(company.refusal(decision(member(bert), approval)) ?? '', /not pending/)
    assert.match(company.refusal(used(evidence)) ?? '', /was denied/)
    assert.match(company.refusal(opening(evidence)) ?? '', /held already/)
  })

  it('ends for whoever has heard of a denial by another way', () => {
    makePolicy({ ...signing, ...approvalBy({ quorum: 1 }) })
    const evidence = use()
    const approval = open(evidence)
    const { records } = company
    company.write(denialTable, [approval], { deniedBy: member(anne).user })
    assert.match(company.refusal(decision(company.admin, approval)) ?? '', /not pending/)
    company.records = records
    decide(company.admin, approval)
    company.write(denialTable, [approval], { deniedBy: member(anne).user })
    assert.match(company.refusal(used(evidence)) ?? '', /was denied/)
  })

  it('is approved under the policies that held it, whatever became of them', () => {
    const policy = makePolicy({ ...signing, ...approvalBy({ of: [company.admin] }) })
    const evidence = use()
    const approval = open(evidence)
    company.apply(changePolicy(policy, undefined))
    assert.match(company.refusal(used(evidence)) ?? '', /waits for its approval/)
    assert.match(company.refusal(decision(member(anne), approval)) ?? '', /no approver/)
    decide(company.admin, approval)
    assert.equal(company.refusal(used(evidence)), undefined)
  })

  it('wants the approval of those as well who hold it when it goes on', () => {
    const policy = makePolicy({ ...signing, ...approvalBy({ of: [company.admin] }) })
    const evidence = use()
    const approval = open(evidence)
    company.apply(changePolicy(policy, { ...signing, ...approvalBy({ of: [member(anne)] }) }))
    decide(company.admin, approval)
    assert.match(company.refusal(used(evidence)) ?? '', /does not cover/)
  })

  it('is not approved by who could not approve it any more', () => {
    makePolicy({ ...signing, ...approvalBy({}) })
    const evidence = use()
    decide(member(anne), open(evidence))
    const { records } = company
    const [user, by] = [member(anne).user, member(anne).by]
    const name = [user, fingerprintOf(by.spki)]
    const refused = (change: () => void) => {
      company.records = records
      change()
      return company.refusal(used(evidence)) ?? ''
    }
    assert.equal(
      refused(() => undefined),
      '',
    )
    const notCovered = /does not cover/
    assert.match(
      refused(() => company.alter(userTable, [user], { status: 'inactive' })),
      notCovered,
    )
    assert.match(
      refused(() => company.freeze(user)),
      notCovered,
    )
    assert.match(
      refused(() => company.alter(credentialTable, name, { status: 'inactive' })),
      notCovered,
    )
    assert.match(
      refused(() => company.alter(credentialTable, name, { generation: 1 })),
      notCovered,
    )
    assert.match(
      refused(() => company.alter(credentialTable, name, { rank: 'unconfirmed' })),
      notCovered,
    )
    assert.match(
      refused(() => company.write(grantsTable, [user], { entries: [] })),
      notCovered,
    )
  })
})

describe('a decision', () => {
  it('is not added to more than an approval can hold', () => {
    makePolicy({ ...signing, ...approvalBy({ quorum: 2 }) })
    const approval = open(use())
    const known = found(keyStream(key.id), approval) ?? assert.fail('none')
    const full = Array.from({ length: decisionsMax }, (_, i) => {
      const user = sha256(toUtf8(`${i}`))
      return { user, fingerprint: user, value: 'approved' as const }
    })
    company.records = company.records.with(keyStream(key.id), {
      key: recordKey(approvalTable, approval),
      value: encodeRecord(approvalTable, { ...known, decisions: full }),
    })
    const refusal = company.refusal(decision(company.admin, approval))
    assert.match(refusal ?? '', /too many have decided/)
  })

  it('is one of its approvers’, once each', () => {
    makePolicy({ ...signing, ...approvalBy({ of: [company.admin, member(anne)], quorum: 2 }) })
    const approval = open(use())
    assert.match(company.refusal(decision(member(bert), approval)) ?? '', /no approver/)
    decide(company.admin, approval)
    assert.match(company.refusal(decision(company.admin, approval)) ?? '', /has decided/)
    const unsure = decision(member(anne), approval, { value: 'Perhaps' })
    assert.match(company.refusal(unsure) ?? '', /neither Approved nor Denied/)
  })

  it('of whoever asked is a denial, or nothing unless his approval is wanted', () => {
    makePolicy({ ...signing, ...approvalBy({}) })
    const own = use(company.admin)
    const approval = open(own)
    assert.match(company.refusal(decision(company.admin, approval)) ?? '', /no approver/)
    assert.equal(decide(company.admin, approval, { value: 'Denied' }), 'denied')
    makePolicy({ ...signing, ...approvalBy({ initiatorCanApprove: true }) })
    const both = open(use(company.admin))
    assert.equal(decide(company.admin, both), 'pending')
    assert.equal(decide(member(anne), both), 'approved')
  })

  it('of a service account counts where a group wants it to', () => {
    makePolicy({ ...signing, ...approvalBy({}, { serviceAccountsCanApprove: true }) })
    const approval = open(use(member(anne)))
    assert.equal(decide(company.machine, approval), 'pending')
    assert.equal(decide(company.admin, approval), 'approved')
  })

  it('counts for every group that it fits, and each group wants its own quorum', () => {
    const [a, b] = [member(anne), member(bert)]
    makePolicy({ ...signing, ...approvalBy({ of: [a] }, { of: [a, b], quorum: 2 }) })
    const approval = open(use())
    assert.equal(decide(b, approval), 'pending')
    assert.equal(decide(a, approval), 'approved')
  })

  it('is for the one approval that was signed for, in the stream where that stands', () => {
    makePolicy({ ...signing, ...approvalBy({}) })
    const [one, other] = [open(use()), open(use())]
    assert.notDeepEqual(one, other)
    const { evidence } = decision(company.admin, one)
    const swapped = company.ask(company.admin, {
      path: `/v2/policy-approvals/${nameOf('approval', one)}/decisions`,
      ...{ body: { value: 'Approved' }, ids: { approvalId: other } },
    })
    const at = { kind: 'decision', key: key.id } as const
    assert.match(company.refusal({ ...at, evidence: swapped }) ?? '', /not the one that is named/)
    assert.match(company.refusal({ kind: 'decision', evidence }) ?? '', /no such approval/)
    const elsewhere = company.makeKey(company.machine)
    const strayed = { kind: 'decision', evidence, key: elsewhere.id } as const
    assert.match(company.refusal(strayed) ?? '', /no such approval/)
    company.apply({ ...at, evidence })
    assert.match(company.refusal({ ...at, evidence }) ?? '', /has been used/)
  })

  it('is on an id that stands for all that is approved', () => {
    makePolicy({ ...signing, ...approvalBy({}) })
    const approval = open(use())
    const { opening: kept } = found(keyStream(key.id), approval) ?? assert.fail('none')
    assert.deepEqual(approvalId(kept), approval)
    const [other] = [new Uint8Array(32).fill(1)]
    for (const change of [
      { request: other },
      { initiator: other },
      { maxFee: 1n },
      { expiresAt: kept.expiresAt + 1 },
      { policies: kept.policies.map((one) => ({ ...one, policy: other })) },
      { policies: kept.policies.map((one) => ({ ...one, definition: other })) },
    ])
      assert.notDeepEqual(approvalId({ ...kept, ...change }), approval)
  })
})

describe('a change of who may do what', () => {
  const governing = (activityKind: string) => ({
    ...{ name: activityKind, activityKind, rule: { kind: 'AlwaysTrigger' } },
    ...approvalBy({}),
  })
  const rename = (body: object = { name: 'Renamed' }) => {
    const permissionId = made()
    const path = pathOf('permission', permissionId, '')
    const wish = { method: 'PUT', path, body, ids: { permissionId } }
    return { kind: 'permissionUpdate', evidence: company.ask(company.admin, wish) } as const
  }
  let count = 0
  const made = () => {
    const body = { name: `Some ${(count += 1)}`, operations: ['Wallets:Read'] }
    const evidence = company.ask(company.admin, { path: '/permissions', body })
    company.apply({ kind: 'permission', evidence })
    return idOf(requestOf(evidence), 'permission')
  }
  const assignment = () => {
    const permissionId = made()
    const { name, user } = member(anne)
    const path = pathOf('permission', permissionId, '/assignments')
    const wish = { path, body: { identityId: name }, ids: { permissionId, identityId: user } }
    return { kind: 'assignment', evidence: company.ask(company.admin, wish) } as const
  }
  const account = (permissionId: Uint8Array) => {
    const body = {
      ...{ name: 'api', publicKey: company.machine.by.pem, daysValid: 30 },
      permissionId: nameOf('permission', permissionId),
    }
    const wish = { path: '/auth/service-accounts', body, ids: { permissionId } }
    return { kind: 'serviceAccount', evidence: company.ask(company.admin, wish) } as const
  }

  it('waits for its approval in the root stream, and is made then', () => {
    makePolicy(governing('Permissions:Modify'))
    const change = rename()
    assert.match(company.refusal(change) ?? '', /^held by policy/)
    const operation = company.apply({ ...change, kind: 'approval' })
    const approval = operation.kind === 'approval' ? operation.approval : assert.fail()
    assert.match(company.refusal(change) ?? '', /waits for its approval/)
    assert.equal(decide(member(anne), approval, { of: null }), 'approved')
    company.apply(change)
  })

  it('is held whichever way a permission is given', () => {
    makePolicy(governing('Permissions:Assign'))
    const [held, bringing] = [assignment(), account(made())]
    for (const change of [held, bringing])
      assert.match(company.refusal(change) ?? '', /^held by policy/)
    company.apply({ ...held, kind: 'approval' })
    assert.equal(company.refusal({ ...bringing, kind: 'approval' }), 'a new token waits for nobody')
    assert.equal(company.refusal(rename()), undefined)
  })

  it('of policies is held too: their making, their change and their end', () => {
    const making = makePolicy(governing('Policies:Create'))
    const create = {
      kind: 'policy' as const,
      evidence: company.ask(company.admin, { path: '/v2/policies', body: governing('Any') }),
    }
    assert.match(company.refusal(create) ?? '', /^held by policy/)
    company.apply(changePolicy(making, undefined))
    const policy = makePolicy(governing('Policies:Modify'))
    for (const change of [
      changePolicy(policy, governing('Policies:Modify')),
      changePolicy(policy, undefined),
    ])
      assert.match(company.refusal(change) ?? '', /^held by policy/)
  })

  it('is asked for only if it could be made', () => {
    makePolicy(governing('Permissions:Modify'))
    const change = rename({ operations: ['Nothing:Known'] })
    assert.match(company.refusal({ ...change, kind: 'approval' }) ?? '', /no such operation/)
    const wallet = company.ask(company.machine, { path: '/keys', body: {} })
    assert.match(
      company.refusal({ kind: 'approval', evidence: wallet }) ?? '',
      /policies hold no such/,
    )
  })
})
