import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  matchOperation,
  namedIds,
  operationNames,
  operations,
  permissionsFor,
  withoutTrailingSlash,
  readRequestBody,
} from './operations.ts'

const find = (method: string, path: string) => matchOperation(method, path)?.name

test('every operation is found under its own method and path', () => {
  for (const name of operationNames) {
    const { method, path } = operations[name]
    assert.equal(find(method, path.replaceAll(/:[a-zA-Z]+/g, 'x-1')), name)
  }
})

test('whoever may sign with keys may not therefore derive, and the other way round', () => {
  const needed = (rest: string) => {
    const match = matchOperation('POST', `/keys/key-1/${rest}`)
    return match && permissionsFor(match.operation, undefined)
  }
  assert.deepEqual(needed('signatures'), ['Keys:Signatures:Create'])
  assert.deepEqual(needed('derive'), ['Keys:Derive'])
})

test('a path gives its parameters decoded', () => {
  const match = matchOperation('GET', '/wallets/wa%20%2F1/transfers/xfr-2')
  assert.deepEqual(match?.params, { walletId: 'wa /1', transferId: 'xfr-2' })
})

test('a path in any spelling but its own is not found', () => {
  const others = [
    '/keys/',
    '//keys',
    'keys',
    '',
    '/',
    '/./keys',
    '/wallets/../keys',
    '/keys/..',
    '/keys/%2e%2e',
    '/keys/%2E',
    '/%6beys',
    '/keys/a%2fb',
    '/keys/%zz',
    '/keys/%',
    '/keys/%ff',
    '/keys?limit=1',
    '/keys#top',
    '/Keys',
    '/keys/a b',
    `/keys/${'a'.repeat(2048)}`,
  ]
  for (const path of others) assert.equal(find('GET', path), undefined, path)
})

test('a parameter cannot be `.` or `..`, in no encoding', () => {
  for (const id of ['.', '..', '%2e', '%2E%2E', '.%2e'])
    assert.equal(find('GET', `/keys/${id}`), undefined, id)
})

test('another method is not found', () => {
  for (const method of ['PUT', 'PATCH', 'get', 'HEAD', '', 'constructor'])
    assert.equal(find(method, '/keys'), undefined, method)
})

test('one slash at the end is taken off, and the root stays', () => {
  assert.equal(withoutTrailingSlash('/wallets/'), '/wallets')
  assert.equal(withoutTrailingSlash('/wallets//'), '/wallets/')
  assert.equal(withoutTrailingSlash('/'), '/')
})

test('whatever changes something is signed by a credential, or ends an unsigned way', () => {
  for (const name of operationNames) {
    const { changes, userAction, purpose } = operations[name]
    if (changes.item !== 'none') assert.equal(userAction, purpose === 'action', name)
    else assert.equal(purpose, 'action', name)
  }
})

test('unsigned ways are few, and each is for one thing', () => {
  const unsigned = operationNames.filter((name) => operations[name].purpose !== 'action')
  assert.deepEqual(unsigned.toSorted(), [
    'auth.createCredentialWithCode',
    'auth.createSocialRegistrationChallenge',
    'auth.recover',
    'auth.register',
    'auth.registerEndUser',
    'quorate.finishGenesis',
  ])
})

test('a query counts only signed, known, once, and true or false', () => {
  const path = '/auth/service-accounts/us-1'
  assert.deepEqual(matchOperation('DELETE', `${path}?force=true`)?.query, { force: 'true' })
  assert.deepEqual(matchOperation('DELETE', path)?.query, {})
  for (const search of [
    '?',
    '?force',
    '?force=yes',
    '?force=true&force=true',
    '?other=true',
    '?force=true?',
  ])
    assert.equal(matchOperation('DELETE', `${path}${search}`), undefined, search)
  assert.equal(matchOperation('GET', `${path}?force=true`), undefined)
})

test('a wallet needs the right to make a key, or to use the one it names', () => {
  const operation = operations['wallets.createWallet']
  const fresh = { network: 'EthereumSepolia' }
  const reuse = { ...fresh, signingKey: { id: 'key-1' } }
  assert.deepEqual(permissionsFor(operation, fresh), ['Wallets:Create', 'Keys:Create'])
  assert.deepEqual(permissionsFor(operation, reuse), ['Wallets:Create', 'Keys:Reuse'])
  assert.deepEqual(permissionsFor(operation, undefined), ['Wallets:Create', 'Keys:Create'])
})

test('a service account that is born with a permission needs the right to assign', () => {
  const operation = operations['auth.createServiceAccount']
  assert.deepEqual(permissionsFor(operation, { permissionId: 'pm-1' }), [
    'Auth:ServiceAccounts:Create',
    'Permissions:Assign',
  ])
  assert.deepEqual(permissionsFor(operation, {}), ['Auth:ServiceAccounts:Create'])
})

test('an inherited member of the body counts as absent', () => {
  const body: unknown = Object.create({ permissionId: 'pm-1' })
  assert.deepEqual(permissionsFor(operations['auth.createServiceAccount'], body), [
    'Auth:ServiceAccounts:Create',
  ])
})

test('the ids of path and body are named with what they are', () => {
  const transfer = matchOperation('GET', '/wallets/wa-1/transfers/xfr-2')
  const wallet = matchOperation('POST', '/wallets')
  assert.ok(transfer && wallet)
  assert.deepEqual(namedIds(transfer, undefined), [
    { role: 'walletId', kind: 'wallet', name: 'wa-1' },
    { role: 'transferId', kind: 'transfer', name: 'xfr-2' },
  ])
  assert.deepEqual(namedIds(wallet, { signingKey: { id: 'key-1' } }), [
    { role: 'signingKey.id', kind: 'key', name: 'key-1' },
  ])
  assert.deepEqual(namedIds(wallet, { signingKey: { id: 7 } }), [])
})

test('bodies have decimals where limits are in a currency, and whole numbers elsewhere', () => {
  const text = '{"limit":0.5}'
  assert.deepEqual(readRequestBody({ name: 'policies.createPolicy' }, text), { limit: 0.5 })
  assert.throws(() => readRequestBody({ name: 'wallets.transferAsset' }, text), /json.malformed/)
  assert.deepEqual(readRequestBody({ name: 'policies.archivePolicy' }, ''), {})
})
