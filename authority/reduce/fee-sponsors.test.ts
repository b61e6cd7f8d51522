import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf, nameOf } from '@quorate/core/id'
import { feeSponsorTable, keyTable, walletTable } from '../records.ts'
import { sponsorOf } from '../standing.ts'
import { Company } from '../testing/company.ts'
import { requestOf } from '../testing/world.ts'

const company = new Company()
const { admin, machine } = company
const noLimits = { perOperation: undefined, perDay: undefined, perUserPerDay: undefined }

type Named = { readonly id: Uint8Array; readonly name: string }

function making(wallet: Named, body: object = {}, author = admin) {
  const wish = {
    ...{ path: '/fee-sponsors', body: { walletId: wallet.name, ...body } },
    ids: { walletId: wallet.id },
  }
  return { kind: 'feeSponsor', evidence: company.ask(author, wish) } as const
}

function makeSponsor(wallet: Named, body: object = {}): Named {
  const made = making(wallet, body)
  company.apply(made)
  const id = idOf(requestOf(made.evidence), 'feeSponsor')
  return { id, name: nameOf('feeSponsor', id) }
}

type Way = { readonly method?: 'PUT' | 'DELETE'; readonly end?: string; readonly body?: object }
function changing({ id, name }: Named, { method = 'PUT', end = '', body = {} }: Way) {
  const wish = { method, path: `/fee-sponsors/${name}${end}`, body, ids: { feeSponsorId: id } }
  return { kind: 'feeSponsorUpdate', evidence: company.ask(admin, wish) } as const
}
const activating: Way = { end: '/activate' }
const deactivating: Way = { end: '/deactivate' }
const deleting: Way = { method: 'DELETE' }
const limiting = (limits: unknown): Way => ({ body: { limits } })

function standing(wallet: Named) {
  return sponsorOf({ find: (table, ...name) => company.find(table, ...name) }, wallet.id)
}

describe('a fee sponsor', () => {
  it('is a wallet of the organization, on its own network, within what it may pay', () => {
    const wallet = company.makeWallet(machine)
    const limits = { perOperation: '5', perUserPerDay: (2n ** 256n - 1n).toString() }
    const { id } = makeSponsor(wallet, { name: 'gas', allowEndUser: true, limits })
    const record = {
      ...{ wallet: wallet.id, network: 'Chain', status: 'active', allowEndUser: 'yes' },
      limits: { perOperation: 5n, perDay: undefined, perUserPerDay: 2n ** 256n - 1n },
    }
    assert.deepEqual(company.find(feeSponsorTable, id), record)
    assert.deepEqual(standing(wallet), { id, record })
    assert.equal(standing(company.makeWallet(machine)), undefined)
  })

  it('is for end users only if that was said, and without limits if none were', () => {
    const { id } = makeSponsor(company.makeWallet(machine))
    const record = company.find(feeSponsorTable, id)
    assert.equal(record?.allowEndUser, 'no')
    assert.deepEqual(record.limits, noLimits)
  })

  it('is never a wallet that is an end user’s, or will be', () => {
    const owner = company.makeEndUser()
    const named = [{ delegateTo: owner.name }, { delegateTo: owner.user }] as const
    const theirs = company.makeWallet(machine, ...named)
    const waiting = company.makeWallet(machine, { delayDelegation: true })
    for (const wallet of [theirs, waiting])
      assert.equal(company.refusal(making(wallet)), "the wallet is not the organization's own")
  })

  it('stands on a network that has sponsors, and takes what is new', () => {
    const other = company.makeWallet(machine, { network: 'Other' })
    assert.equal(company.refusal(making(other)), 'the network has no fee sponsors')
    const wallet = company.makeWallet(machine)
    company.alter(walletTable, [wallet.id], { network: 'Retired' })
    assert.equal(company.refusal(making(wallet)), 'the network has no fee sponsors')
  })

  it('is of a wallet that there is, and whose key is not archived', () => {
    const nobodys = { id: new Uint8Array(32), name: nameOf('wallet', new Uint8Array(32)) }
    assert.equal(company.refusal(making(nobodys)), 'there is no such wallet')
    const wallet = company.makeWallet(machine)
    company.alter(keyTable, [wallet.key], { status: 'archived' })
    assert.equal(company.refusal(making(wallet)), 'the key is archived')
  })

  it('is one of its wallet, until it is archived for ever', () => {
    const wallet = company.makeWallet(machine)
    const first = makeSponsor(wallet)
    assert.equal(company.refusal(making(wallet)), 'the wallet is a fee sponsor already')
    company.apply(changing(first, deactivating))
    assert.equal(company.refusal(making(wallet)), 'the wallet is a fee sponsor already')
    company.apply(changing(first, deleting))
    assert.equal(standing(wallet), undefined)
    const second = makeSponsor(wallet)
    assert.deepEqual(standing(wallet)?.id, second.id)
    for (const way of [activating, deactivating, deleting, limiting({})])
      assert.equal(company.refusal(changing(first, way)), 'the fee sponsor is archived')
  })

  it('is switched off and on, and keeps its limits', () => {
    const sponsor = makeSponsor(company.makeWallet(machine), { limits: { perDay: '7' } })
    const record = () => company.find(feeSponsorTable, sponsor.id)
    company.apply(changing(sponsor, deactivating))
    assert.equal(record()?.status, 'deactivated')
    company.apply(changing(sponsor, activating))
    assert.equal(record()?.status, 'active')
    assert.deepEqual(record()?.limits, { ...noLimits, perDay: 7n })
  })

  it('has the limits that were named last and no others, on or off', () => {
    const sponsor = makeSponsor(company.makeWallet(machine), { limits: { perDay: '7' } })
    company.apply(changing(sponsor, deactivating))
    company.apply(changing(sponsor, limiting({ perOperation: '0' })))
    const record = company.find(feeSponsorTable, sponsor.id)
    assert.deepEqual(record?.limits, { ...noLimits, perOperation: 0n })
    assert.equal(record.status, 'deactivated')
  })

  it('has no limit that somebody could read in two ways', () => {
    const sponsor = makeSponsor(company.makeWallet(machine))
    const refusals = [5, '', '-1', '0x5', '05', '1.5', '9'.repeat(79)].map((perDay) =>
      company.refusal(changing(sponsor, limiting({ perDay }))),
    )
    assert.deepEqual(
      refusals,
      refusals.map(() => 'a limit is not a whole number in digits'),
    )
    const refusal = (limits: unknown) => company.refusal(changing(sponsor, limiting(limits)))
    assert.equal(refusal({ perDay: (2n ** 256n).toString() }), 'a limit is too large')
    assert.equal(refusal({ perWeek: '5' }), 'there is no such limit')
    assert.equal(refusal(undefined), 'the body is not an object')
  })

  it('that there is not is not changed', () => {
    const nobodys = { id: new Uint8Array(32), name: nameOf('feeSponsor', new Uint8Array(32)) }
    assert.equal(company.refusal(changing(nobodys, deactivating)), 'there is no such fee sponsor')
  })

  it('is no business of end users', () => {
    const wallet = company.makeWallet(machine)
    assert.equal(
      company.refusal(making(wallet, {}, company.makeEndUser())),
      'no caller of this kind may ask for this',
    )
  })

  it('can be switched off, and not on, while the organization is frozen', () => {
    const sponsor = makeSponsor(company.makeWallet(machine))
    const before = company.records
    company.freeze(company.organization)
    assert.equal(company.refusal(changing(sponsor, activating)), 'the organization is frozen')
    assert.equal(company.refusal(changing(sponsor, limiting({}))), 'the organization is frozen')
    assert.equal(company.refusal(changing(sponsor, deactivating)), undefined)
    assert.equal(company.refusal(changing(sponsor, deleting)), 'the organization is frozen')
    company.records = before
  })
})
