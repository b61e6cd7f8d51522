import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { serverSettings } from './settings.ts'

const whole = {
  SERVER_PORT: '8080',
  SERVER_LINK_PORT: '8081',
  SERVER_DATABASE_URL: 'postgres://quorate@localhost/quorate',
  SERVER_MANIFEST_FILE: 'manifest',
  SERVER_TLS_KEY_FILE: 'key.pem',
  SERVER_TLS_CERT_FILE: 'certificate.pem',
  SERVER_TLS_CA_FILE: 'authority.pem',
  SERVER_TOKEN_KEY_FILE: 'token-key.pem',
  SERVER_SETUP_TOKEN_FILE: 'setup-token',
  SERVER_NODES_FILE: 'nodes.json',
  SERVER_MAIL_FILE: 'mail.json',
  SERVER_PUBLIC_URL: 'https://wallets.example.com',
}

describe('the settings of a server', () => {
  it('are read from the environment, of which nothing has a default', () => {
    const { port, linkPort, nodesFile } = serverSettings({ ...whole, HOME: '/root' })
    assert.deepEqual([port, linkPort, nodesFile], [8080, 8081, 'nodes.json'])
    for (const name of Object.keys(whole))
      assert.throws(() => serverSettings({ ...whole, [name]: undefined }), new RegExp(name))
  })

  it('report all mistakes together', () => {
    const wrong = { ...whole, SERVER_PORT: '99999', SERVER_DATABASE_URL: 'no', SERVER_PROT: '1' }
    assert.throws(() => serverSettings(wrong), /PORT[^]*DATABASE_URL[^]*SERVER_PROT/)
  })

  it('open both ports on this machine alone, unless told otherwise, and none on any port', () => {
    const { host, linkHost } = serverSettings(whole)
    assert.deepEqual([host, linkHost], ['127.0.0.1', '127.0.0.1'])
    const told = { ...whole, SERVER_HOST: '::1', SERVER_LINK_HOST: '10.1.0.5' }
    assert.equal(serverSettings(told).host, '::1')
    assert.equal(serverSettings(told).linkHost, '10.1.0.5')
    for (const name of ['SERVER_PORT', 'SERVER_LINK_PORT'])
      assert.throws(() => serverSettings({ ...whole, [name]: '0' }), new RegExp(`${name} is not`))
    for (const name of ['SERVER_HOST', 'SERVER_LINK_HOST'])
      assert.throws(
        () => serverSettings({ ...whole, [name]: 'here' }),
        new RegExp(`${name} is not`),
      )
  })

  it('say where people reach the server by an origin that links can begin with', () => {
    const read = (text: string) => serverSettings({ ...whole, SERVER_PUBLIC_URL: text }).publicUrl
    const good = ['https://wallets.example.com', 'https://a.example:8443', 'http://localhost:8700']
    for (const one of good) assert.deepEqual([read(one), read(`${one}/`)], [one, one])
    for (const wrong of [
      ...[
        'wallets.example.com:443',
        'javascript:1',
        'https://a.example/wallets',
        'https://a.example?b',
      ],
      ...['http://wallets.example.com', 'https://me@a.example', 'https://a.example//', ''],
    ])
      assert.throws(() => read(wrong), /SERVER_PUBLIC_URL is not valid/, wrong)
  })

  it('name a database by a URL with its scheme', () => {
    const read = (text: string) => serverSettings({ ...whole, SERVER_DATABASE_URL: text })
    const socket = 'postgresql://quorate:secret@%2Ftmp%2Fsocket/quorate'
    assert.equal(read(socket).databaseUrl, socket)
    for (const wrong of ['db.example:5432/x', 'mysql://db.example/x', 'postgres:x', 'db.example'])
      assert.throws(() => read(wrong), /SERVER_DATABASE_URL is not valid/, wrong)
  })

  it('name origins as browsers write them, and no wildcard', () => {
    const read = (text: string) => serverSettings({ ...whole, SERVER_CORS_ORIGINS: text })
    assert.deepEqual(serverSettings(whole).corsOrigins, [])
    assert.deepEqual(read('').corsOrigins, [])
    const two = ['https://a.example', 'http://localhost:5173']
    assert.deepEqual(read(two.join(', ')).corsOrigins, two)
    for (const wrong of ['*', 'null', 'a.example', 'https://a.example/', 'http://a.example'])
      assert.throws(() => read(wrong), /SERVER_CORS_ORIGINS is not valid/, wrong)
  })

  it('name networks of one’s own that events may be sent to', () => {
    const read = (text: string) =>
      serverSettings({ ...whole, SERVER_WEBHOOK_NETWORKS: text }).webhookNetworks
    assert.deepEqual(serverSettings(whole).webhookNetworks, [])
    assert.deepEqual(read('10.1.0.0/16, ::1/128'), ['10.1.0.0/16', '::1/128'])
    for (const wrong of ['10.1.2.3', 'localhost/8', '10.0.0.0/33', '::1/129', '*'])
      assert.throws(() => read(wrong), /SERVER_WEBHOOK_NETWORKS is not valid/, wrong)
  })

  it('name a file of authorities that certify receivers of events, or none', () => {
    const read = (given: object) => serverSettings({ ...whole, ...given }).webhookAuthoritiesFile
    assert.equal(read({}), '')
    assert.equal(read({ SERVER_WEBHOOK_AUTHORITIES_FILE: 'house.pem' }), 'house.pem')
  })

  it('say how many keys are born ahead of need: none, unless they say so', () => {
    const read = (text: string) => serverSettings({ ...whole, SERVER_KEY_POOL: text }).keyPool
    assert.equal(serverSettings(whole).monthlySignatures, 0)
    assert.deepEqual([serverSettings(whole).keyPool, read('0'), read('5000')], [0, 0, 5_000])
    for (const wrong of ['5001', '-1', 'many', ''])
      assert.throws(() => read(wrong), /SERVER_KEY_POOL is not valid/, wrong)
  })
})
