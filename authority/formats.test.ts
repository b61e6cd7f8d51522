import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { idOf, nameOf } from '@quorate/core/id'
import { certificateCodec, certificateOf, statementBytes, type Vote } from './agreement/messages.ts'
import { encodeKeyStatement, encodePooledStatement } from './key-certificate.ts'
import { signManifest } from './manifest.ts'
import { writtenHash } from './records.ts'
import { challengeOf, commitTo, encodePreimage, erasePayload, sponsorshipHash } from './request.ts'
import {
  encodeEvidence,
  encodeStep,
  keyCertificatesCodec,
  operationCodec,
  stepHash,
} from './step.ts'
import { rootOf } from './stream.ts'

/**
 * What can never change once the first key exists, frozen byte for byte. To add a format, run with
 * FREEZE=formats and review the difference; a changed line is a changed format.
 */
const file = new URL('../vectors/formats.json', import.meta.url)
const named = (text: string): Uint8Array => sha256(toUtf8(text))
const salt = named('salt')
const payload = '{"kind":"Native","to":"0x00","amount":"5","memo":"é"}'
const organization = named('organization')
const place = { manifestHash: named('manifest'), organization, stream: rootOf(organization) }
const origin = { bootId: named('boot').slice(0, 16), storeSequence: 9 }

const preimage = encodePreimage({
  purpose: 'action',
  organization,
  user: named('user'),
  token: { id: named('token'), kind: 'ServiceAccount' },
  method: 'POST',
  path: '/wallets/wa-aaaaa-aaaaa-aaaaaaaaaaaaaaaa/transfers',
  ...commitTo(payload, salt),
  verification: 'none',
  subjects: [{ role: 'walletId', id: named('wallet') }],
  maxFee: 21000000000000n,
  nonce: named('nonce'),
  issuedAt: 1767225600000,
  signBefore: 1767226200000,
  executeBefore: 1767830400000,
})
const use = {
  key: named('key'),
  wallet: named('wallet'),
  network: 'EthereumSepolia',
  action: 'transfer',
  slot: 7n,
  fee: 21000000000000n,
  digests: [named('digest')],
} as const
const terms = {
  organization,
  key: named('key'),
  request: sha256(preimage),
  owner: undefined,
  scheme: 'ECDSA',
  curve: 'secp256k1',
  raw: 'no',
  master: 'no',
  untweaked: 'no',
} as const
const born = (network: string) => ({
  network,
  key: {
    terms: { ...terms, owner: named('user') },
    certificate: named('key statement'),
    derivation: undefined,
  },
})
const made = {
  manifest: named('manifest'),
  threshold: 2,
  publicKey: named('public key'),
  publicShares: [named('share 1'), named('share 2')],
  chainCode: named('chain code'),
  transcript: named('transcript'),
}
const registration = {
  kind: 'registration',
  user: named('user'),
  credentials: [
    { kind: 'Key', publicKey: named('spki'), rank: 'unconfirmed', relyingParty: undefined },
  ],
  wallets: [born('EthereumSepolia'), born('KeyECDSA')],
} as const
const sponsorship = {
  kind: 'sponsor',
  ...{ sponsor: named('sponsor'), wallet: named('wallet'), key: named('key') },
  ...{ network: 'EthereumSepolia', slot: 7n, fee: 21000000000000n, digests: [named('digest')] },
  does: 'pay',
} as const
const { payload: committed, fields } = commitTo(payload, salt)
const step = encodeStep({
  organization,
  stream: { kind: 'key', id: named('key') },
  seq: 3,
  previous: named('previous'),
  manifest: named('manifest'),
  reducer: 1,
  time: 1767225601000,
  heads: [{ stream: rootOf(organization), seq: 12, step: named('head') }],
  items: [
    {
      cause: { kind: 'request', hash: sha256(preimage) },
      subjects: [{ role: 'walletId', id: named('wallet') }],
      payload: committed,
      fields,
      operation: { kind: 'use', ...use },
      assertions: named('assertions'),
      facts: named('facts'),
      versions: [],
    },
  ],
  written: writtenHash([{ key: 'a', value: named('value') }]),
})
const vote: Vote = {
  kind: 'vote',
  ...place,
  seq: 3,
  ballot: 1,
  stepHash: stepHash(step),
  signer: 2,
  ...origin,
}
const seal = { ...vote, kind: 'seal' } as const
const voice = (signer: number) => ({
  statement: { ...seal, signer },
  signature: new Uint8Array(64).fill(signer),
})

const operated = (id: string) => ({
  ...{ id, identity: named(`${id} identity`), operator: named(`${id} operator`) },
  tls: named(`${id} certificate`),
})
const cluster = {
  ...{ epoch: 1, previous: undefined, threshold: 2, quorum: 2 },
  signers: [operated('signer-1'), operated('signer-2')],
}
const ownNetwork = { id: 'MyChain', chainId: 777001, feeCeiling: 10n ** 17n, legacy: true }
const nativeContract = { address: `0x${'c0'.repeat(20)}`, units: 10n ** 12n }
const unsigned = (operator: number) => new Uint8Array(64).fill(operator)

const formats = {
  preimage: toHex(preimage),
  challenge: challengeOf(preimage),
  transferName: nameOf('transfer', idOf(sha256(preimage), 'transfer')),
  secondWalletName: nameOf('wallet', idOf(sha256(preimage), 'wallet', 1)),
  step: toHex(step),
  stepHash: toHex(stepHash(step)),
  evidence: toHex(
    encodeEvidence({
      preimage,
      payload,
      salt,
      assertions: [
        {
          fingerprint: named('fingerprint'),
          clientData: toUtf8('{}'),
          signature: named('signature'),
          authenticatorData: undefined,
        },
        {
          fingerprint: named('another fingerprint'),
          clientData: toUtf8('{}'),
          signature: named('another signature'),
          authenticatorData: named('authenticator data'),
        },
      ],
      facts: toUtf8('facts'),
    }),
  ),
  erasedEvidence: toHex(
    encodeEvidence({
      preimage,
      ...erasePayload(payload, salt, (name) => name === 'memo'),
      assertions: [],
      facts: toUtf8('facts'),
    }),
  ),
  registration: toHex(encode(operationCodec, registration)),
  sponsorshipName: toHex(sponsorshipHash(sha256(preimage))),
  outbidName: toHex(sponsorshipHash(sha256(preimage), 1)),
  sponsorship: toHex(encode(operationCodec, sponsorship)),
  registrationFacts: toHex(encode(keyCertificatesCodec, [toUtf8('first'), toUtf8('second')])),
  vote: toHex(statementBytes(vote)),
  seal: toHex(statementBytes(seal)),
  promise: toHex(
    statementBytes({
      kind: 'promise',
      ...place,
      seq: 3,
      ballot: 2,
      previous: named('previous'),
      lock: { ballot: 1, stepHash: stepHash(step) },
      signer: 2,
      ...origin,
    }),
  ),
  certificate: toHex(encode(certificateCodec, certificateOf([voice(1), voice(2), voice(4)]))),
  manifest: toHex(signManifest({ ...cluster, networks: [] }, unsigned)),
  manifestWithNetworks: toHex(signManifest({ ...cluster, networks: [ownNetwork] }, unsigned)),
  manifestWithContracts: toHex(
    signManifest({ ...cluster, networks: [{ ...ownNetwork, nativeContract }] }, unsigned),
  ),
  keyStatement: toHex(encodeKeyStatement({ terms, ...made })),
  pooledStatement: toHex(
    encodePooledStatement({
      terms: { organization, scheme: 'ECDSA', curve: 'secp256k1', bindBefore: 1_800_000_000_000 },
      ...made,
    }),
  ),
}

describe('the formats of the log', () => {
  it('are what they were when the first key was born', () => {
    if (process.env['FREEZE'] === 'formats')
      writeFileSync(file, `${JSON.stringify(formats, undefined, 2)}\n`)
    assert.deepEqual(formats, JSON.parse(readFileSync(file, 'utf8')))
  })
})
