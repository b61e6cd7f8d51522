import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chainAt, readChains } from './chains.ts'

describe('the file of nodes', () => {
  it('says which node to ask, and after how many blocks to be sure', () => {
    const url = 'http://127.0.0.1:8545'
    const usual = readChains(JSON.stringify({ EthereumSepolia: { rpcUrl: url } }))
    assert.equal(usual.find('EthereumSepolia').network.confirmationsFinal, 12)
    const soon = readChains(JSON.stringify({ EthereumSepolia: { rpcUrl: url, confirmations: 2 } }))
    assert.equal(soon.find('EthereumSepolia').network.confirmationsFinal, 2)
  })

  it('says where the reading of a chain begins', () => {
    const read = (firstBlock: unknown) =>
      readChains(JSON.stringify({ Base: { rpcUrl: 'http://127.0.0.1:8545', firstBlock } }))
    assert.equal(read(0).find('Base').firstBlock, 0n)
    assert.equal(read(17).find('Base').firstBlock, 17n)
    assert.equal(read(undefined).find('Base').firstBlock, undefined)
    for (const wrong of [-1, '17', null, true])
      assert.throws(() => read(wrong), /Base: firstBlock/, String(wrong))
  })

  it('names several nodes, and how many of them must agree', () => {
    const [one, other] = ['http://127.0.0.1:8545', 'http://127.0.0.1:8546']
    const read = (node: object) => readChains(JSON.stringify({ Base: node }))
    assert.equal(read({ rpcUrls: [one, other], agree: 2 }).find('Base').network.id, 'Base')
    assert.equal(read({ rpcUrls: [one] }).all.length, 1)
    const three = [one, other, 'http://127.0.0.1:8547']
    assert.equal(read({ rpcUrls: three, outvoted: 1 }).all.length, 1)
    for (const wrong of [
      { rpcUrls: [] },
      { rpcUrls: one },
      { rpcUrls: [one, 'file:///x'] },
      { rpcUrls: [one, `${one}/`] },
      { rpcUrls: Array.from({ length: 9 }, (_, i) => `http://127.0.0.1:${i + 1}`) },
      { rpcUrls: [one, other], agree: 3 },
      { rpcUrls: [one, other], agree: 0 },
      { rpcUrl: one, agree: 2 },
      { rpcUrls: [one, other], outvoted: 1 },
      { rpcUrls: three, outvoted: 2 },
      { rpcUrl: one, rpcUrls: [other] },
      {},
    ])
      assert.throws(() => read(wrong), /Base: /, JSON.stringify(wrong))
  })

  it('asks the second node when the first is gone, and says so', async () => {
    const gone = ['http://127.0.0.1:9', 'http://127.0.0.1:9/other']
    const events: object[] = []
    const text = JSON.stringify({ Base: { rpcUrls: gone } })
    const chain = readChains(text, (event) => void events.push(event)).find('Base')
    await assert.rejects(chain.ready(), { code: 'chain.unavailable' })
    const reason = 'it does not answer'
    assert.deepEqual(events, [
      { network: 'Base', node: 1, reason },
      { network: 'Base', node: 2, reason },
    ])
  })

  it('names every mistake at once, and no address', () => {
    const secret = 'ftp://node/secret'
    const text = JSON.stringify({
      EthereumSepolia: { rpcUrl: secret, confirmations: 0, colour: 'blue' },
      Atlantis: { rpcUrl: 'http://127.0.0.1' },
      KeyECDSA: { rpcUrl: 'http://127.0.0.1' },
    })
    assert.throws(
      () => readChains(text),
      ({ message }: Error) =>
        ['rpcUrl', 'confirmations', 'colour', 'Atlantis', 'KeyECDSA'].every((word) =>
          message.includes(word),
        ) && !message.includes('secret'),
    )
    for (const nonsense of ['', '[]', '{"EthereumSepolia":7}', '{"EthereumSepolia":{}}'])
      assert.throws(() => readChains(nonsense), Error, nonsense)
  })

  it('has the words of a network that the manifest alone has, and of no other', () => {
    const own = [{ id: 'MyChain', chainId: 777_001, feeCeiling: 5n, legacy: true }]
    const rpcUrl = 'http://127.0.0.1:8545'
    const whole = { rpcUrl, name: 'My Chain', symbol: 'MINE', confirmations: 3 }
    const read = (entry: object, id = 'MyChain', networks = own) =>
      readChains(JSON.stringify({ [id]: entry }), undefined, networks)
    const chains = read(whole)
    const { network, traits } = chains.find('MyChain')
    assert.deepEqual(network, {
      ...{ id: 'MyChain', name: 'My Chain', family: 'evm', chainId: 777_001, testnet: false },
      ...{ nativeAsset: { symbol: 'MINE', decimals: 18 }, confirmationsFinal: 3 },
    })
    assert.deepEqual([traits.chainId, traits.feeCeiling, traits.isLegacy], [777_001n, 5n, true])
    assert.equal(chainAt(chains, 'my-chain').network.id, 'MyChain')
    assert.throws(() => read(whole, 'MyChain', []), /MyChain: there is no such network/)
    assert.throws(() => read(whole, 'TheirChain'), /TheirChain: there is no such network/)
    for (const [change, mistake] of [
      [{ name: undefined }, /it has no name/],
      [{ name: ' ' }, /it has no name/],
      [{ symbol: undefined }, /no symbol/],
      [{ symbol: 'MI NE' }, /no symbol/],
      [{ confirmations: undefined }, /how many confirmations/],
      [{ decimals: 6 }, /decimals is not known/],
    ] as const)
      assert.throws(() => read({ ...whole, ...change }), mistake)
    assert.throws(() => read(whole, 'Base'), /name is not known[^]*symbol is not known/)
    assert.throws(
      () => readChains('{}', undefined, [{ ...own[0], id: 'Base' } as never]),
      /another network/,
    )
  })

  it('may lack one that the manifest has: what was done there is still shown', () => {
    const own = [{ id: 'MyChain', chainId: 777_001, feeCeiling: 5n, legacy: true }]
    const chains = readChains('{}', undefined, own)
    assert.throws(() => chains.find('MyChain'), { code: 'chain.unavailable' })
    assert.deepEqual(chains.named('MyChain').nativeAsset, { symbol: 'MyChain', decimals: 18 })
    assert.equal(chains.named('Base').nativeAsset.symbol, 'ETH')
    assert.throws(() => chains.named('KeyECDSA'), { code: 'request.unsupported' })
  })

  it('may have its words alone: what was done there is shown by them, and nothing is made', () => {
    const own = [{ id: 'MyChain', chainId: 777_001, feeCeiling: 5n, legacy: true }]
    const words = { name: 'My Chain', symbol: 'MINE', confirmations: 3 }
    const read = (MyChain: object) => readChains(JSON.stringify({ MyChain }), undefined, own)
    const chains = read(words)
    assert.deepEqual([chains.all, chains.named('MyChain').nativeAsset.symbol], [[], 'MINE'])
    assert.equal(chains.named('MyChain').confirmationsFinal, 3)
    assert.throws(() => chains.find('MyChain'), { code: 'chain.unavailable' })
    const url = 'http://127.0.0.1:8545'
    assert.throws(() => read({ ...words, rpcUrl: url, rpcUrls: [url] }), /names its nodes/)
    const takesWallets = (entry: object) => read({ ...words, ...entry }).takesWallets('MyChain')
    assert.deepEqual([takesWallets({}), takesWallets({ rpcUrl: url })], [false, true])
    assert.equal(chains.takesWallets('Base'), true)
  })

  it('names networks in paths by words with hyphens alone', () => {
    const url = 'http://127.0.0.1:8545'
    const chains = readChains(JSON.stringify({ EthereumSepolia: { rpcUrl: url } }))
    assert.equal(chainAt(chains, 'ethereum-sepolia').network.id, 'EthereumSepolia')
    assert.throws(() => chainAt(chains, 'base'), { code: 'chain.unavailable' })
    for (const other of ['EthereumSepolia', 'Base', 'atlantis', ''])
      assert.throws(() => chainAt(chains, other), { code: 'request.unsupported' })
  })

  it('leaves a network without a node unasked, and a key without a chain', () => {
    const chains = readChains('{}')
    assert.throws(() => chains.find('EthereumSepolia'), { code: 'chain.unavailable' })
    assert.throws(() => chains.find('KeyECDSA'), { code: 'request.unsupported' })
    assert.throws(() => chains.find('Atlantis'), { code: 'request.unsupported' })
  })
})
