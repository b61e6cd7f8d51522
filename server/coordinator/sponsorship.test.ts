import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { hashAuthorization } from 'viem/utils'
import { accountAddress, executeHash, type AccountTerms } from '@quorate/chains/evm/account/account'
import { bytesToBig, concat, fromHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { recordKey, decodeRecord, requestTable } from '@quorate/authority/records'
import { decodePreimage, requestHash, sponsorshipHash } from '@quorate/authority/request'
import type { Evidence, WholeEvidence } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { addressOfKey } from '@quorate/effects/evm/address'
import {
  type AccountSignature,
  encodeFacts,
  type Facts,
  type SponsorshipFacts,
} from '@quorate/effects/facts'
import { readIntent } from '@quorate/effects/intent'
import { tableNetworks } from '@quorate/effects/networks'
import { planSponsorship } from '@quorate/effects/plan'
import { verifySignature } from '@quorate/threshold/public/verify'
import { signedRequest, type Person } from '@quorate/signer/testing/requests'
import type { Coordinator, Signature } from './coordinator.ts'
import { operationAt } from './streams.ts'
import { ask, type Company, found, hire, type Key } from './testing/company.ts'
import { type Platform, startPlatform } from './testing/platform.ts'

const gwei = 10n ** 9n
const network = tableNetworks.find('EthereumSepolia') ?? assert.fail()
const recipient = `0x${'77'.repeat(20)}`

describe('a request that two keys sign, with four signer processes', () => {
  let platform: Platform
  let coordinator: Coordinator
  let company: Company
  let organization: Uint8Array
  let bot: Person
  let [payer, wallet]: Wallet[] = []
  let sponsor = ''
  before(async () => {
    platform = await startPlatform()
    coordinator = platform.coordinator
    company = await found(coordinator, platform.manifest.hash)
    organization = company.organization
    bot = await hire(coordinator, company)
    payer = await makeWallet()
    wallet = await makeWallet()
    sponsor = await makeSponsor(payer, { perDay: `${60_000n * 20n * gwei}` })
  })
  after(() => platform.stop())

  type Wallet = Key & { readonly name: string }

  async function makeWallet(): Promise<Wallet> {
    const evidence = ask(company, bot, { path: '/wallets', body: { network: network.id } })
    const { certificate, statement } = await coordinator.createKey({ organization, evidence })
    const settled = { ...evidence, facts: certificate }
    await coordinator.settle({ organization, kind: 'wallet', evidence: settled })
    const request = requestHash(evidence.preimage)
    const [id, key] = [idOf(request, 'wallet'), idOf(request, 'key')]
    company.ids.set(nameOf('wallet', id), id)
    return { id: key, publicKey: statement.publicKey, name: nameOf('wallet', id) }
  }

  async function makeSponsor(of: Wallet, limits: object): Promise<string> {
    const body = { walletId: of.name, limits }
    const evidence = ask(company, company.administrator, { path: '/fee-sponsors', body })
    await coordinator.settle({ organization, kind: 'feeSponsor', evidence })
    const id = idOf(requestHash(evidence.preimage), 'feeSponsor')
    company.ids.set(nameOf('feeSponsor', id), id)
    return nameOf('feeSponsor', id)
  }

  function asked(amount: string, facts: Facts = { family: 'sponsored' }): WholeEvidence {
    const body = {
      kind: 'Native',
      to: recipient,
      amount,
      feeSponsorId: sponsor,
      externalId: amount,
    }
    return signedRequest(bot, {
      ...{ path: `/wallets/${walletOf(wallet).name}/transfers`, body, now: Date.now() },
      ...{ ids: company.ids, maxFee: 10n ** 16n, facts },
    })
  }

  async function innerOf(evidence: Evidence): Promise<AccountSignature> {
    const { id: key } = walletOf(wallet)
    const { signatures, slot } = await coordinator.sign({ organization, key, evidence })
    assert.equal(slot, undefined)
    return accountSignature(signatures[0])
  }

  const paying = (evidence: Evidence, facts: SponsorshipFacts) => ({
    ...{ organization, key: walletOf(payer).id, kind: 'sponsor' as const },
    evidence: { ...evidence, facts: encodeFacts(facts) },
  })

  it('is signed by the sponsor’s key around what the wallet’s has signed, and given again', async () => {
    const evidence = asked('1')
    const facts = factsAround(await innerOf(evidence), 0n)
    await coordinator.judge(paying(evidence, facts))
    const signed = await coordinator.sign(paying(evidence, facts))
    const made = planSponsorship({
      ...{ network, publicKey: walletOf(wallet).publicKey, facts },
      ...intentAnd(evidence, walletOf(payer).publicKey),
    })
    const [to] = made.ok ? made.effect.signing : assert.fail(made.reason)
    const digest = to !== undefined && 'digest' in to ? to.digest : assert.fail()
    const [first] = signed.signatures
    assert.ok(first?.scheme === 'ECDSA')
    const signature = concat(first.r, first.s)
    const { publicKey } = walletOf(payer)
    assert.ok(verifySignature('ECDSA', 'secp256k1', publicKey, digest, signature))
    const later = { ...facts, nonce: 1n, maxFeePerGas: facts.maxFeePerGas + 1n }
    const again = await coordinator.sign(paying(evidence, later))
    assert.deepEqual(again, signed)
  })

  it('has the wallet’s key sign, the first time, that its account runs the contract as well', async () => {
    const evidence = asked('4', { family: 'sponsored', delegationNonce: 5n })
    const { id: key, publicKey } = walletOf(wallet)
    const { digests, signatures } = await coordinator.sign({ organization, key, evidence })
    const { preimage } = evidence
    const account = addressOfKey(publicKey)
    const terms: AccountTerms = {
      ...{ account, nonce: requestHash(preimage) },
      operations: [{ to: recipient, value: 4n, data: new Uint8Array() }],
      deadline: BigInt(Math.floor(decodePreimage(preimage).executeBefore / 1000)),
    }
    const chainId = network.family === 'evm' ? network.chainId : assert.fail()
    const authorization = { chainId: Number(chainId), address: accountAddress, nonce: 5 }
    // Both are what the chain’s own library makes of the request.
    const expected = [
      executeHash(terms, { chainId, sponsor: addressOfKey(walletOf(payer).publicKey) }),
      fromHex(hashAuthorization(authorization).slice(2)),
    ]
    assert.deepEqual(digests, expected)
    const standing = await coordinator.stepOf(organization, requestHash(preimage))
    const operation = operationAt(standing ?? assert.fail())
    assert.deepEqual(operation.kind === 'use' && operation.digests, expected)
    for (const [i, signature] of signatures.entries()) {
      const { r, s } = signature.scheme === 'ECDSA' ? signature : assert.fail()
      const digest = expected[i] ?? assert.fail()
      assert.ok(verifySignature('ECDSA', 'secp256k1', publicKey, digest, concat(r, s)))
    }
    const kept = await coordinator.sign({ organization, key, evidence })
    assert.deepEqual(kept.signatures, signatures)
    const [inner, second] = signatures.map(accountSignature)
    assert.ok(inner && second)
    const facts = factsAround(inner, 3n)
    const carrying = (nonce: bigint) => ({ ...facts, delegation: { nonce, signature: second } })
    await assert.rejects(
      coordinator.judge(paying(evidence, carrying(6n))),
      (error) => reasonOf(error) === 'the account has not signed its delegation',
    )
    const paid = paying(evidence, carrying(5n))
    await coordinator.judge(paid)
  })

  it('stands in two streams, under two names', async () => {
    const evidence = asked('2')
    const inner = await innerOf(evidence)
    await coordinator.sign(paying(evidence, factsAround(inner, 1n)))
    const request = requestHash(evidence.preimage)
    const places = await Promise.all(
      [request, sponsorshipHash(request)].map((name) => coordinator.stepOf(organization, name)),
    )
    assert.deepEqual(
      places.map((standing) => standing?.place.stream),
      [keyStream(walletOf(wallet).id), keyStream(walletOf(payer).id)],
    )
    const row = await platform.database
      .selectFrom('records')
      .select('value')
      .where('name', '=', recordKey(requestTable, sponsorshipHash(request)))
      .executeTakeFirstOrThrow()
    assert.equal(decodeRecord(requestTable, row.value).slot, 1n)
  })

  it('is refused without what the wallet’s key has signed, and above what the sponsor pays', async () => {
    const evidence = asked('3')
    const inner = await innerOf(evidence)
    const refusal = async (facts: SponsorshipFacts) => {
      const [judged, signed] = await Promise.all(
        [coordinator.judge, coordinator.sign].map((ask) =>
          ask(paying(evidence, facts)).then(
            () => undefined,
            (error: unknown) => reasonOf(error),
          ),
        ),
      )
      assert.equal(judged, signed)
      return judged
    }
    const other = { ...inner, yParity: inner.yParity === 0 ? 1 : 0 } as const
    const unsigned = 'the account has not signed these operations'
    assert.equal(await refusal(factsAround(other, 2n)), unsigned)
    const above = 'the fee is above what the sponsor pays in a day'
    assert.equal(await refusal(factsAround(inner, 2n)), above)
  })

  function intentAnd({ preimage, payload }: Evidence, paidBy: Uint8Array) {
    const read = readIntent('transfer', payload)
    const { executeBefore } = decodePreimage(preimage)
    return {
      intent: read.ok ? read.intent : assert.fail(read.reason),
      sponsored: { request: requestHash(preimage), executeBefore, sponsor: paidBy },
    }
  }

  function walletOf(one: Wallet | undefined): Wallet {
    return one ?? assert.fail('there is no such wallet')
  }
})

/** Two of three that a day has room for. */
function factsAround(inner: AccountSignature, nonce: bigint): SponsorshipFacts {
  return {
    ...{ family: 'sponsorship', nonce, gasLimit: 25_000n, inner },
    ...{ maxFeePerGas: 20n * gwei, maxPriorityFeePerGas: gwei },
  }
}

function accountSignature(signature: Signature | undefined): AccountSignature {
  assert.ok(signature?.scheme === 'ECDSA')
  const { r, s, recid } = signature
  return { r: bytesToBig(r), s: bytesToBig(s), yParity: recid === 0 ? 0 : 1 }
}

function reasonOf(error: unknown): string {
  assert.ok(error instanceof Failure && error.code === 'request.refused')
  return (error as Failure<'request.refused'>).context.reason
}
