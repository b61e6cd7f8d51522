import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toBase64url, toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import { openingCodec } from '@quorate/authority/records'
import { Company } from '@quorate/authority/testing/company'
import type { WholeEvidence } from '@quorate/authority/step'
import { readApproval, type ShownApproval } from './approval.ts'
import { Misled } from './check-request.ts'

const company = new Company()
const { machine, admin, organization } = company
const policy = {
  ...{ name: 'signing', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
  action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
}
company.apply({
  kind: 'policy',
  evidence: company.ask(admin, { path: '/v2/policies', body: policy }),
})
const wallet = company.makeWallet(machine)

/** As an honest server would show it. */
function held(path: string, body: object): ShownApproval {
  const wish = { path: `/wallets/${wallet.name}${path}`, body, ids: { walletId: wallet.id } }
  const evidence = company.ask(machine, { ...wish, maxFee: 77n }) as WholeEvidence
  const operation = company.apply({ kind: 'approval', evidence, key: wallet.key })
  if (operation.kind !== 'approval') return assert.fail(operation.kind)
  return {
    id: nameOf('approval', operation.approval),
    opening: toHex(encode(openingCodec, operation.opening)),
    preimage: toBase64url(evidence.preimage),
    payload: evidence.payload,
    salt: toHex(evidence.salt),
  }
}
const to = `0x${'12'.repeat(20)}`
const transfer = (amount: string) => held('/transfers', { kind: 'Native', to, amount })

describe('an approval that a server shows', () => {
  it('is told from what was signed for it', () => {
    const shown = transfer('1000')
    const { words, initiator, policies, request } = readApproval(shown, organization)
    assert.deepEqual(words, [
      `transfer from wallet ${wallet.name}`,
      '1000 of the smallest unit, Native',
      `to ${to}`,
      'fees: at most 77 of the smallest unit',
    ])
    assert.equal(initiator, machine.name)
    assert.equal(policies.length, 1)
    assert.equal(request.maxFee, 77n)
  })

  it('of a token names the contract and what of it moves, and whom an account is given to', () => {
    const contract = `0x${'c0'.repeat(20)}`
    const said = (path: string, body: object) => readApproval(held(path, body), organization).words
    for (const [body, line] of [
      [{ kind: 'Erc20', amount: '5' }, `5 of the smallest unit, Erc20 ${contract}`],
      [{ kind: 'Erc721', tokenId: '7' }, `piece 7, Erc721 ${contract}`],
      [{ kind: 'Erc1155', tokenId: '7', amount: '5' }, `5 of 7, Erc1155 ${contract}`],
    ] as const) {
      const words = said('/transfers', { ...body, contract, to })
      assert.deepEqual(words.slice(1, 3), [line, `to ${to}`])
    }
    const delegation = { kind: 'Eip7702', address: contract, nonce: 3, chainId: 11155111 }
    assert.deepEqual(said('/signatures', delegation).slice(1, 3), [
      `this account does from now on what the contract ${contract} says, whoever asks`,
      'on chain 11155111, at nonce 3',
    ])
  })

  it('of bytes that say nothing says that they say nothing', () => {
    const shown = held('/signatures', { kind: 'Hash', hash: `0x${'34'.repeat(32)}` })
    const { words } = readApproval(shown, organization)
    assert.match(words.join('\n'), /nobody can tell what it stands for/)
    const unread = held('/transfers', { kind: 'Cash', to })
    assert.match(readApproval(unread, organization).words.join('\n'), /nobody can read/)
  })

  it('shows no character that a terminal would act upon, or that turns texts around', () => {
    const hidden = `${to}\u001b[2K\u202e\n\u{e0041}`
    const transfer = held('/transfers', { kind: 'Native', to: hidden, amount: '1' })
    const { words } = readApproval(transfer, organization)
    assert.ok(words.includes(`to ${to}\\u{1b}[2K\\u{202e}\\u{a}\\u{e0041}`), words.join())
    const unread = held('/transfers', { kind: 'Cash\u202e', to })
    for (const line of [...words, ...readApproval(unread, organization).words])
      assert.match(line, /^[\x20-\x7e]*$/)
  })

  it('of a change is the request itself', () => {
    company.apply({
      kind: 'policy',
      evidence: company.ask(admin, {
        ...{ path: '/v2/policies', body: { ...policy, activityKind: 'Policies:Create' } },
      }),
    })
    const evidence = company.ask(admin, { path: '/v2/policies', body: policy }) as WholeEvidence
    const operation = company.apply({ kind: 'approval', evidence })
    if (operation.kind !== 'approval') return assert.fail(operation.kind)
    const shown = {
      id: nameOf('approval', operation.approval),
      opening: toHex(encode(openingCodec, operation.opening)),
      preimage: toBase64url(evidence.preimage),
      payload: evidence.payload,
      salt: toHex(evidence.salt),
    }
    assert.deepEqual(readApproval(shown, organization).words, [
      'POST /v2/policies',
      evidence.payload,
    ])
  })

  it('is another one with another request, body, deadline or organization', () => {
    const [shown, other] = [transfer('1'), transfer('1000000')]
    const refused = (change: Partial<ShownApproval>, of = organization) =>
      assert.throws(() => readApproval({ ...shown, ...change }, of), Misled)
    refused({ id: other.id })
    refused({ opening: other.opening })
    refused({ preimage: other.preimage })
    refused({ payload: other.payload })
    refused({ salt: other.salt })
    refused({ opening: `${shown.opening}00` })
    refused({ opening: '' })
    refused({ preimage: other.preimage, payload: other.payload, salt: other.salt })
    refused({}, new Uint8Array(32))
  })
})
