import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { payloadBytesMax, readIntent, type UseOperation } from './intent.ts'

const transfer = { kind: 'Native', to: '0x00', amount: '1' }
const coin = { kind: 'Erc20', contract: '0x01', to: '0x00', amount: '1' }
const piece = { kind: 'Erc721', contract: '0x01', to: '0x00', tokenId: '7' }

describe('what a payload asks', () => {
  it('is a transfer with its priority, standard unless it says otherwise', () => {
    assert.deepEqual(readIntent('transfer', JSON.stringify(transfer)), {
      ok: true,
      intent: {
        kind: 'transfer',
        asset: 'Native',
        to: '0x00',
        amount: 1n,
        priority: 'Standard',
      },
    })
    const padded = readIntent('transfer', JSON.stringify({ ...transfer, amount: '007' }))
    assert.ok(padded.ok && padded.intent.kind === 'transfer' && padded.intent.asset === 'Native')
    assert.equal(padded.intent.amount, 7n)
    const more = { ...transfer, priority: 'Fast', memo: '', externalId: 'invoice-1' }
    const read = readIntent('transfer', JSON.stringify(more))
    assert.ok(read.ok && read.intent.kind === 'transfer')
    assert.deepEqual(
      [read.intent.priority, read.intent.externalId, 'memo' in read.intent],
      ['Fast', 'invoice-1', false],
    )
  })

  it('is a transfer of a token, of which each kind has its own members', () => {
    const common = { kind: 'transfer', to: '0x00', contract: '0x01', priority: 'Standard' }
    for (const [body, expected] of [
      [coin, { asset: 'Erc20', amount: 1n }],
      [piece, { asset: 'Erc721', tokenId: 7n }],
      [
        { ...piece, kind: 'Erc1155', amount: '2' },
        { asset: 'Erc1155', tokenId: 7n, amount: 2n },
      ],
    ] as const) {
      const read = readIntent('transfer', JSON.stringify(body))
      assert.deepEqual(read, { ok: true, intent: { ...common, ...expected } })
    }
  })

  it('is an object where a deprecated kind has its members in the body: of type 2 if it is named after that', () => {
    const members = { to: '0x01', value: '0x5', data: '0x00', nonce: 7, gasLimit: '21000' }
    const fees = { maxFeePerGas: '2', maxPriorityFeePerGas: '1' }
    for (const [kind, own] of [
      ['Evm', members],
      ['Eip1559', { ...members, ...fees }],
    ] as const) {
      const read = readIntent('transaction', JSON.stringify({ kind, ...own, externalId: 'x' }))
      const type = kind === 'Eip1559' ? { type: 2 } : {}
      const transaction = { form: 'object', object: { ...type, ...own } }
      const intent = { kind: 'transaction', transaction, externalId: 'x' }
      assert.deepEqual(read, { ok: true, intent })
    }
  })

  it('names who pays the fees, of a transfer or of several operations', () => {
    const paid = readIntent('transfer', JSON.stringify({ ...transfer, feeSponsorId: 'fs-1' }))
    assert.ok(paid.ok && paid.intent.kind === 'transfer')
    assert.equal(paid.intent.feeSponsorId, 'fs-1')
    const userOperations = [
      { to: '0x01', value: '5' },
      { to: '0x02', data: '0x0a' },
    ]
    const body = { kind: 'UserOperations', userOperations, feeSponsorId: 'fs-1', externalId: 'x' }
    const operations = [
      { to: '0x01', value: 5n, data: new Uint8Array() },
      { to: '0x02', value: 0n, data: new Uint8Array([10]) },
    ]
    assert.deepEqual(readIntent('transaction', JSON.stringify(body)), {
      ok: true,
      intent: {
        ...{ kind: 'transaction', transaction: { form: 'operations', operations } },
        ...{ feeSponsorId: 'fs-1', externalId: 'x' },
      },
    })
  })

  it('is unsupported, and says so, when its kind is another product’s', () => {
    for (const [operation, kind] of [
      ['transfer', 'Erc7984'],
      ['transfer', 'toString'],
      ['transaction', 'Psbt'],
      ['transaction', 'ExtrinsicV4'],
      ['signature', 'Snip12'],
      ['signature', 'Psbt'],
      ['signature', 'toString'],
    ] as const) {
      const read = readIntent(operation, JSON.stringify({ kind }))
      assert.ok(!read.ok && read.unsupported, `${operation} ${kind}`)
    }
  })

  const refusals: Readonly<Record<string, readonly [UseOperation, string]>> = {
    'no JSON': ['transfer', 'Native'],
    'a list': ['transfer', '[]'],
    'no kind': ['transfer', '{}'],
    'a member given twice': ['transfer', '{"kind":"Native","to":"a","amount":"1","amount":"2"}'],
    'a member nobody knows': ['transfer', JSON.stringify({ ...transfer, feeSponsor: 'fs-1' })],
    'an amount that is a number': ['transfer', JSON.stringify({ ...transfer, amount: 1 })],
    'an amount in hex': ['transfer', JSON.stringify({ ...transfer, amount: '0x1' })],
    'an amount below zero': ['transfer', JSON.stringify({ ...transfer, amount: '-1' })],
    'an amount with a fraction': ['transfer', JSON.stringify({ ...transfer, amount: '1.0' })],
    'an amount of 2^256': ['transfer', JSON.stringify({ ...transfer, amount: `${2n ** 256n}` })],
    'no amount': ['transfer', '{"kind":"Native","to":"a"}'],
    'the contract of a native transfer': [
      'transfer',
      JSON.stringify({ ...transfer, contract: '0x' }),
    ],
    'a coin without a contract': ['transfer', JSON.stringify({ ...transfer, kind: 'Erc20' })],
    'a memo beside a coin': ['transfer', JSON.stringify({ ...coin, memo: 'x' })],
    'a piece of a coin': ['transfer', JSON.stringify({ ...coin, tokenId: '1' })],
    'an amount of one piece': ['transfer', JSON.stringify({ ...piece, amount: '1' })],
    'a piece that is a number': ['transfer', JSON.stringify({ ...piece, tokenId: 1 })],
    'no piece': ['transfer', JSON.stringify({ ...piece, tokenId: undefined })],
    'units of a piece without a number': [
      'transfer',
      JSON.stringify({ ...piece, kind: 'Erc1155' }),
    ],
    'a recipient that is a number': ['transfer', JSON.stringify({ ...transfer, to: 1 })],
    'an unknown priority': ['transfer', JSON.stringify({ ...transfer, priority: 'Urgent' })],
    'an empty externalId': ['transfer', JSON.stringify({ ...transfer, externalId: '' })],
    'a long externalId': ['transfer', JSON.stringify({ ...transfer, externalId: 'x'.repeat(51) })],
    'no transaction': ['transaction', '{"kind":"Transaction"}'],
    'a transaction of null': ['transaction', '{"kind":"Transaction","transaction":null}'],
    'a transaction that is no hex': ['transaction', '{"kind":"Transaction","transaction":"0xz0"}'],
    'a deprecated transaction with the fees of another kind': [
      'transaction',
      '{"kind":"Evm","maxFeePerGas":"1"}',
    ],
    'a deprecated transaction that says its type': ['transaction', '{"kind":"Eip1559","type":2}'],
    'a delegation without a chain': ['signature', '{"kind":"Eip7702","address":"0x","nonce":1}'],
    'a delegation with a nonce below zero': [
      'signature',
      '{"kind":"Eip7702","address":"0x","nonce":-1,"chainId":1}',
    ],
    'a personal message that is no hex': ['signature', '{"kind":"Eip191","message":"hi"}'],
    'a hash of 31 bytes': ['signature', `{"kind":"Hash","hash":"${'00'.repeat(31)}"}`],
    'a hash of 33 bytes': ['signature', `{"kind":"Hash","hash":"${'00'.repeat(33)}"}`],
    'a Taproot root of 31 bytes': [
      'signature',
      `{"kind":"Hash","hash":"${'00'.repeat(32)}","taprootMerkleRoot":"${'00'.repeat(31)}"}`,
    ],
    'a Taproot root of 33 bytes': [
      'signature',
      `{"kind":"Hash","hash":"${'00'.repeat(32)}","taprootMerkleRoot":"${'00'.repeat(33)}"}`,
    ],
    'a Taproot root of null': [
      'signature',
      `{"kind":"Hash","hash":"${'00'.repeat(32)}","taprootMerkleRoot":null}`,
    ],
    'a Taproot root beside a message': [
      'signature',
      '{"kind":"Message","message":"00","taprootMerkleRoot":""}',
    ],
    'no domain': ['derivation', '{"seed":"00"}'],
    'an empty domain': ['derivation', '{"domain":"0x","seed":"00"}'],
    'a long domain': ['derivation', `{"domain":"${'00'.repeat(256)}","seed":"00"}`],
    'no seed': ['derivation', '{"domain":"00"}'],
    'a long seed': ['derivation', `{"domain":"00","seed":"${'00'.repeat(1025)}"}`],
    'a derivation with more': ['derivation', '{"domain":"00","seed":"00","externalId":"x"}'],
    'a message of half a byte': ['signature', '{"kind":"Message","message":"0"}'],
    'a message that is too long': [
      'signature',
      JSON.stringify({ kind: 'Message', message: '00'.repeat(payloadBytesMax + 1) }),
    ],
    'the members of another kind': ['signature', '{"kind":"Message","message":"00","hash":"00"}'],
  }
  for (const [name, [operation, payload]] of Object.entries(refusals))
    it(`is nothing when it holds ${name}`, () => {
      const read = readIntent(operation, payload)
      assert.ok(!read.ok && !read.unsupported, read.ok ? 'was read' : read.reason)
    })
})
