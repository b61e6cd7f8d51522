import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idOf } from '@quorate/core/id'
import { toHex } from '@quorate/core/bytes'
import { makeCluster, makeGenesis, makePerson, requestOf } from '@quorate/authority/testing/world'
import { manifestHashOf } from './manifest.ts'
import { trustFrom } from './trust.ts'

const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }

function foundedOn(networks: readonly (typeof own)[]) {
  const cluster = makeCluster(undefined, networks)
  const genesis = makeGenesis(cluster, makePerson())
  const { preimage, payload, salt } = genesis
  const answer = { preimage: toHex(preimage), payload, salt: toHex(salt) }
  return { cluster, genesis, answer: { ...answer, manifest: toHex(cluster.file) } }
}

describe('what a client begins with', () => {
  it('has the networks that all operators have signed', () => {
    const { genesis, answer, cluster } = foundedOn([own])
    const { organization, manifest } = trustFrom(toHex(requestOf(genesis)), answer)
    assert.deepEqual(organization, idOf(requestOf(genesis), 'organization'))
    assert.deepEqual(manifest.networks, [own])
    assert.equal(manifestHashOf(cluster.file), toHex(manifest.hash))
  })

  it('is no manifest with a network that would pass for another, or is on its chain', () => {
    for (const change of [{ id: 'Base' }, { id: 'Keyecdsa' }, { chainId: 1 }]) {
      const { genesis, answer, cluster } = foundedOn([{ ...own, ...change }])
      assert.throws(() => trustFrom(toHex(requestOf(genesis)), answer), /another network/)
      assert.throws(() => manifestHashOf(cluster.file), /another network/)
    }
  })
})
