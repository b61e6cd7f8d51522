import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Failure } from '@quorate/core/failure'

import { problemOf } from './problems.ts'

test('messages that existing clients compare with are the documented ones, to the letter', () => {
  const documented = [
    [new Failure('token.invalid', {}), 401, 'Not Authorized.'],
    [new Failure('action.missing', {}), 403, 'user action signature is missing or invalid'],
    [new Failure('action.used', {}), 400, 'user action has already been used'],
    [new Failure('challenge.invalid', {}), 400, 'Challenge token is not valid.'],
    [new Failure('user.not_found', {}), 401, 'User not found'],
    [new Failure('user.already_exists', {}), 401, 'User already exists.'],
    [new Failure('code.invalid', {}), 403, 'Invalid code'],
    [new Failure('code.expired', {}), 400, 'Registration code expired'],
    [
      new Failure('recovery_key.unsuitable', {}),
      401,
      'Credential cannot be used as a recovery factor.',
    ],
    [new Failure('user.deactivated', {}), 400, 'User account has been deactivated.'],
    [
      new Failure('credential.unsuitable', {}),
      401,
      'User does not have a credential that can be used for the application.',
    ],
    [
      new Failure('caller.not_permitted', {
        caller: 'CustomerEmployee us-1',
        operation: 'Wallets:Create',
      }),
      403,
      'CustomerEmployee us-1 is not authorized to perform operation (Wallets:Create)',
    ],
  ] as const
  for (const [failure, status, message] of documented)
    assert.deepEqual(problemOf(failure), { status, message })
})

test('a wallet that is not there is named with the organization that asked', () => {
  const failure = new Failure('wallet.not_found', { walletId: 'wa-1', orgId: 'or-1' })
  assert.deepEqual(problemOf(failure), {
    status: 404,
    message: 'wallet not found',
    details: { walletId: 'wa-1', orgId: 'or-1' },
  })
})

test('a second use of an external id names the first', () => {
  const context = { kind: 'transfer', id: 'xfr-1', externalId: 'pay-1' }
  assert.deepEqual(problemOf(new Failure('external_id.conflict', context)), {
    status: 409,
    message: 'Conflicting transfer with same externalId',
    details: { duplicate: { id: 'xfr-1', externalId: 'pay-1' } },
  })
})

test('missing signers are a passing trouble and are named; a refusal is not', () => {
  assert.deepEqual(problemOf(new Failure('signers.unavailable', { missing: ['s2', 's4'] })), {
    status: 503,
    message: 'signers unavailable: s2, s4',
    details: { missing: ['s2', 's4'] },
  })
  assert.equal(problemOf(new Failure('request.refused', { reason: 'fee' })).status, 403)
  assert.equal(problemOf(new Failure('clock.wrong', { clock: 'ahead' })).status, 503)
})
