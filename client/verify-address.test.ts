import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HDKey } from '@scure/bip32'
import { fromHex, toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { encode } from '@quorate/core/codec'
import {
  certificateCodec,
  certificateOf,
  type Seal,
  type Signed,
  statementBytes,
} from '@quorate/authority/agreement/messages'
import { signEd25519 } from '@quorate/authority/ed25519'
import {
  type KeyTerms,
  keyStatementHash,
  readBirth,
  readKeyCertificate,
} from '@quorate/authority/key-certificate'
import { completionHash } from '@quorate/authority/request'
import {
  encodeStep,
  type ItemOperation,
  noStep,
  type Step,
  stepHash,
} from '@quorate/authority/step'
import { keyStream, rootOf } from '@quorate/authority/stream'
import {
  certifyKey,
  certifyPooled,
  makeCluster,
  makeGenesis,
  makePerson,
  requestOf,
} from '@quorate/authority/testing/world'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { trustFrom, Untrusted } from './trust.ts'
import { verifyAddress } from './verify-address.ts'

const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }
const cluster = makeCluster(undefined, [own])
const genesis = makeGenesis(cluster, makePerson())
const pinned = toHex(requestOf(genesis))
const answer = {
  preimage: toHex(genesis.preimage),
  payload: genesis.payload,
  salt: toHex(genesis.salt),
  manifest: toHex(cluster.file),
}
const trust = trustFrom(pinned, answer)
/** The generator of secp256k1 (SEC 2), whose address is the well-known one of the private key 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const terms: KeyTerms = {
  organization: trust.organization,
  key: idOf(requestOf(genesis), 'key'),
  request: requestOf(genesis),
  owner: undefined,
  scheme: 'ECDSA',
  curve: 'secp256k1',
  raw: 'no',
  master: 'no',
  untweaked: 'no',
}
const asked = new Uint8Array(32).fill(3)
const wallet = (certificate: Uint8Array, change = {}) => ({
  id: nameOf('wallet', idOf(asked, 'wallet')),
  network: 'EthereumSepolia',
  address: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
  signingKey: { id: nameOf('key', terms.key), publicKey: toHex(publicKey) },
  certificate: toHex(certificate),
  ...change,
})
const good = certifyKey(cluster, terms, publicKey)

const walletItem = { kind: 'wallet', delegable: 'no', tags: [], confirmed: undefined } as const
const onKey = (
  certificate: Uint8Array,
  of = terms,
  network = 'EthereumSepolia',
): ItemOperation => ({
  ...walletItem,
  network,
  key: {
    ...{ kind: 'created', terms: of, certificate: hashOf(certificate), derivation: undefined },
  },
})
const birthOf = (certificate: Uint8Array): ItemOperation => ({
  kind: 'key',
  delegable: 'no',
  confirmed: undefined,
  key: { terms, certificate: hashOf(certificate), derivation: undefined },
})
const hashOf = (certificate: Uint8Array) => keyStatementHash(readBirth(certificate).signed)

const byRequest = { kind: 'request', hash: asked } as const

/** A step that does these things, sealed by these signers of a cluster at its place or another. */
function sealed(
  operations: readonly ItemOperation[],
  { by = [1, 2, 3], at = {}, of = {}, from = cluster, cause = byRequest }: Partial<Sealing> = {},
) {
  const step: Step = {
    ...{ organization: trust.organization, stream: rootOf(trust.organization), seq: 4 },
    ...{ previous: noStep, manifest: cluster.manifest.hash, reducer: 1, time: 0, heads: [] },
    items: operations.map((operation) => ({
      ...{ cause, subjects: [], payload: noStep, operation },
      ...{ fields: noStep, assertions: noStep, facts: noStep, versions: [] },
    })),
    written: noStep,
    ...of,
  }
  const encoded = encodeStep(step)
  const { organization, stream, seq } = step
  const seal = (signer: number): Signed<Seal> => {
    const statement: Seal = {
      ...{ kind: 'seal', manifestHash: cluster.manifest.hash, organization, stream, seq },
      ...{ ballot: 0, stepHash: stepHash(encoded), signer, bootId: new Uint8Array(16) },
      ...{ storeSequence: 1, ...at },
    }
    const identity = from.identities[signer - 1]
    assert.ok(identity)
    return { statement, signature: signEd25519(identity, statementBytes(statement)) }
  }
  const [first = 1, ...others] = by
  const certificate = certificateOf([seal(first), ...others.map(seal)])
  return { step: toHex(encoded), certificate: toHex(encode(certificateCodec, certificate)) }
}
type Sealing = {
  readonly by: readonly number[]
  readonly at: Partial<Seal>
  readonly of: Partial<Step>
  readonly from: typeof cluster
  readonly cause: Step['items'][number]['cause']
}
const proof = { steps: [sealed([onKey(good)])] }

describe('the address of a wallet', () => {
  it('is verified from the genesis alone', () => {
    const { address } = verifyAddress(wallet(good), proof, trust)
    assert.equal(address, addressOf(tableNetworks, 'EthereumSepolia', publicKey))
  })

  it('is verified on a network that the manifest alone has, and on none that nobody has', () => {
    const on = (network: string) => {
      const steps = [sealed([onKey(good, terms, network)])]
      return verifyAddress(wallet(good, { network }), { steps }, trust).address
    }
    assert.equal(on(own.id), addressOf(tableNetworks, 'EthereumSepolia', publicKey))
    assert.throws(() => on('TheirChain'), { code: 'request.unsupported' })
  })

  it('is verified on a key that came into force before it', () => {
    const key = { kind: 'existing', id: terms.key } as const
    const own = sealed([{ ...walletItem, network: 'EthereumSepolia', key }])
    const birth = sealed([birthOf(good)])
    const { address } = verifyAddress(wallet(good), { steps: [own, birth] }, trust)
    assert.equal(address, addressOf(tableNetworks, 'EthereumSepolia', publicKey))
    assert.throws(
      () => verifyAddress(wallet(good), { steps: [own] }, trust),
      new Untrusted('Another key than the certified one is in force.'),
    )
  })

  it('says whose it is, by the key’s birth or by its delegation', () => {
    const user = new Uint8Array(32).fill(5)
    const owner = nameOf('user', user)
    const born = certifyKey(cluster, { ...terms, owner: user }, publicKey)
    const own = { steps: [sealed([onKey(born, { ...terms, owner: user })])] }
    assert.equal(verifyAddress(wallet(born), own, trust, { owner }).owner, owner)
    const given = { kind: 'delegation', key: terms.key, owner: user, confirmed: undefined } as const
    const later = { steps: [sealed([onKey(good)]), sealed([given])] }
    assert.equal(verifyAddress(wallet(good), later, trust, { owner }).owner, owner)
    assert.equal(verifyAddress(wallet(good), proof, trust).owner, undefined)
    const elsewhere = { steps: [sealed([onKey(good)]), sealed([{ ...given, key: noStep }])] }
    const expected = { owner: nameOf('user', noStep) }
    for (const [certificate, shown, wanted] of [
      [born, own, expected],
      [good, later, expected],
      [good, proof, { owner }],
      [good, elsewhere, { owner }],
    ] as const)
      assert.throws(
        () => verifyAddress(wallet(certificate), shown, trust, wanted),
        new Untrusted('The wallet is not of the expected owner.'),
      )
  })

  it('is verified of a wallet that its owner has brought with his registration', () => {
    const user = new Uint8Array(32).fill(5)
    const owner = nameOf('user', user)
    const cause = { kind: 'completion', preimage: asked, body: noStep } as const
    const request = completionHash(asked, noStep)
    const own = { ...terms, key: idOf(request, 'key', 1), request, owner: user }
    const other = { ...own, key: idOf(request, 'key', 0) }
    const [his, beside] = [own, other].map((of) => certifyKey(cluster, of, publicKey))
    assert.ok(his && beside)
    const bringing = (...certified: readonly (readonly [KeyTerms, Uint8Array, string])[]) => {
      const wallets = certified.map(([of, certificate, network]) => ({
        network,
        key: { terms: of, certificate: hashOf(certificate), derivation: undefined },
      }))
      const operation = { kind: 'registration', user, credentials: [], wallets } as const
      return { steps: [sealed([operation], { cause })] }
    }
    const network = 'EthereumSepolia'
    const shown = wallet(his, {
      id: nameOf('wallet', idOf(request, 'wallet', 1)),
      signingKey: { id: nameOf('key', own.key), publicKey: toHex(publicKey) },
    })
    const genuine = bringing([other, beside, network], [own, his, network])
    const verified = verifyAddress(shown, genuine, trust, { owner })
    assert.deepEqual([verified.address, verified.owner], [shown.address, owner])
    const notInForce = 'The wallet is not in force on this network and key.'
    const second = certifyKey(cluster, own, fromHex(`02${'11'.repeat(32)}`))
    for (const [proof, reason] of [
      [bringing([own, his, network], [other, beside, network]), notInForce],
      [bringing([other, beside, network]), notInForce],
      [bringing([other, beside, network], [own, his, 'KeyECDSA']), notInForce],
      [
        bringing([other, beside, network], [own, second, network]),
        'Another key than the certified one is in force.',
      ],
    ] as const)
      assert.throws(() => verifyAddress(shown, proof, trust), new Untrusted(reason))
  })

  it('is verified of a derived key, worked out again from the certificate of its master', () => {
    const certificate = certifyKey(cluster, { ...terms, master: 'yes' }, publicKey)
    const child = { ...terms, key: idOf(asked, 'key'), request: asked }
    const { chainCode } = readKeyCertificate(certificate).statement
    const own = new HDKey({ publicKey, chainCode }).derive('m/44/7').publicKey ?? noStep
    const derivation = { master: terms.key, path: [44, 7] }
    const [network, signed] = ['EthereumSepolia', hashOf(certificate)]
    const born = { kind: 'created', terms: child, certificate: signed, derivation } as const
    const inForce = (change: Partial<typeof born> = {}) => ({
      steps: [sealed([{ ...walletItem, network, key: { ...born, ...change } }])],
    })
    const signingKey = { id: nameOf('key', child.key), publicKey: toHex(own) }
    const shown = (by: Uint8Array) =>
      wallet(by, { address: addressOf(tableNetworks, network, own), signingKey })
    const verified = verifyAddress(shown(certificate), inForce(), trust)
    assert.deepEqual(
      [verified.address, verified.publicKey, verified.request],
      [addressOf(tableNetworks, network, own), toHex(own), toHex(asked)],
    )
    const another = { ...derivation, master: noStep }
    for (const [by, proof, reason] of [
      [
        certificate,
        inForce({ derivation: { ...derivation, path: [44, 8] } }),
        'The public key is not the certified one.',
      ],
      [certificate, inForce({ derivation: another }), 'The certificate is of another key.'],
      [good, inForce({ certificate: hashOf(good) }), 'The certificate is of another key.'],
      [
        certificate,
        inForce({ certificate: hashOf(good) }),
        'Another key than the certified one is in force.',
      ],
    ] as const)
      assert.throws(() => verifyAddress(shown(by), proof, trust), new Untrusted(reason))
  })

  it('is verified on a key from the pool, whose it became by the step that bound it', () => {
    const user = new Uint8Array(32).fill(5)
    const owner = nameOf('user', user)
    const { organization } = trust
    const kind = { scheme: 'ECDSA', curve: 'secp256k1', bindBefore: 0 } as const
    const pooled = certifyPooled(cluster, { organization, ...kind }, publicKey)
    const his = { ...terms, owner: user }
    const bound = { steps: [sealed([onKey(pooled, his)])] }
    const verified = verifyAddress(wallet(pooled), bound, trust, { owner })
    assert.deepEqual([verified.owner, verified.request], [owner, toHex(terms.request)])
    const child: ItemOperation = {
      ...walletItem,
      network: 'EthereumSepolia',
      key: {
        ...{ kind: 'created', terms: his, certificate: hashOf(pooled) },
        derivation: { master: noStep, path: [0] },
      },
    }
    const elsewhere = certifyPooled(cluster, { organization: noStep, ...kind }, publicKey)
    for (const [shown, proof, reason] of [
      [pooled, [], 'Another key than the certified one is in force.'],
      [pooled, [onKey(good, his)], 'Another key than the certified one is in force.'],
      [pooled, [child], 'Another key than the certified one is in force.'],
      [
        pooled,
        [onKey(pooled, { ...his, key: noStep })],
        'Another key than the certified one is in force.',
      ],
      [pooled, [onKey(pooled)], 'The wallet is not of the expected owner.'],
      [elsewhere, [onKey(elsewhere, his)], 'The key is of another organization.'],
      [
        certifyPooled(makeCluster(), { organization, ...kind }, publicKey),
        [onKey(pooled, his)],
        'Not certified by every signer.',
      ],
    ] as const)
      assert.throws(
        () =>
          verifyAddress(
            wallet(shown),
            { steps: proof.length === 0 ? [] : [sealed(proof)] },
            trust,
            { owner },
          ),
        new Untrusted(reason),
      )
  })

  it('is refused when the server shows one certified key and has put another into force', () => {
    const second = certifyKey(cluster, terms, fromHex(`02${'11'.repeat(32)}`))
    assert.throws(
      () => verifyAddress(wallet(good), { steps: [sealed([onKey(second)])] }, trust),
      new Untrusted('Another key than the certified one is in force.'),
    )
  })

  it('is refused when the wallet is not in force, or on another network or key', () => {
    const other = { ...terms, key: noStep }
    for (const steps of [
      [],
      [sealed([onKey(good, terms, 'KeyECDSA')])],
      [sealed([onKey(good, other)])],
      [sealed([birthOf(good)])],
    ])
      assert.throws(
        () => verifyAddress(wallet(good), { steps }, trust),
        new Untrusted('The wallet is not in force on this network and key.'),
      )
    const unknown = wallet(good, { id: nameOf('wallet', idOf(noStep, 'wallet')) })
    assert.throws(
      () => verifyAddress(unknown, proof, trust),
      new Untrusted('The wallet is not in force on this network and key.'),
    )
  })

  it('is refused when a step is not sealed by a quorum at its place in the root', () => {
    const does = [onKey(good)]
    const [genuine = sealed(does)] = proof.steps
    for (const step of [
      sealed(does, { by: [1, 2] }),
      sealed(does, { from: makeCluster() }),
      sealed(does, { at: { seq: 5 } }),
      sealed(does, { at: { stepHash: noStep } }),
      sealed(does, { of: { organization: noStep, stream: rootOf(noStep) } }),
      sealed(does, { of: { stream: keyStream(terms.key) } }),
      sealed(does, { of: { stream: rootOf(noStep) } }),
      { ...genuine, certificate: sealed(does, { of: { time: 1 } }).certificate },
    ])
      assert.throws(
        () => verifyAddress(wallet(good), { steps: [step] }, trust),
        new Untrusted('A step is not certified in the root of the organization.'),
      )
    assert.throws(
      () => verifyAddress(wallet(good), { steps: [genuine, genuine, genuine, genuine] }, trust),
      new Untrusted('The proof is too long.'),
    )
    assert.throws(
      () => verifyAddress(wallet(good), { steps: [{ ...genuine, step: '00' }] }, trust),
      Untrusted,
    )
  })

  it('is refused when the server names another key, address, organization or cluster', () => {
    const refused = (value: Parameters<typeof verifyAddress>[0], reason: string) =>
      assert.throws(() => verifyAddress(value, proof, trust), new Untrusted(reason))
    refused(wallet(good, { certificate: undefined }), 'The wallet carries no certificate.')
    refused(wallet(certifyKey(makeCluster(), terms, publicKey)), 'Not certified by every signer.')
    refused(wallet(good.with(-1, 1 ^ (good.at(-1) ?? 0))), 'Not certified by every signer.')
    const elsewhere = certifyKey(cluster, { ...terms, organization: new Uint8Array(32) }, publicKey)
    refused(wallet(elsewhere), 'The key is of another organization.')
    const other = certifyKey(cluster, { ...terms, key: new Uint8Array(32) }, publicKey)
    refused(wallet(other), 'The certificate is of another key.')
    refused(
      wallet(good, { signingKey: { id: nameOf('key', terms.key), publicKey: '02' } }),
      'The public key is not the certified one.',
    )
    refused(wallet(good, { address: `0x${'0'.repeat(40)}` }), 'The address is not that of the key.')
  })

  it('is refused when the beginning is not the one that was pinned', () => {
    const own = makeGenesis(cluster, makePerson())
    assert.throws(() => trustFrom(toHex(requestOf(own)), answer), new Untrusted('Another genesis.'))
    assert.throws(
      () => trustFrom(pinned, { ...answer, payload: own.payload }),
      new Untrusted('The genesis says something else.'),
    )
    assert.throws(
      () => trustFrom(pinned, { ...answer, manifest: toHex(makeCluster().file) }),
      new Untrusted('The genesis names another cluster.'),
    )
  })
})
