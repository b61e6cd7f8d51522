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

  it('say how many keys are born ahead of need: none, unless they say so', () => {
    const read = (text: string) => serverSettings({ ...whole, SERVER_KEY_POOL: text }).keyPool
    assert.equal(serverSettings(whole).monthlySignatures, 0)
    assert.deepEqual([serverSettings(whole).keyPool, read('0'), read('5000')], [0, 0, 5_000])
    for (const wrong of ['5001', '-1', 'many', ''])
      assert.throws(() => read(wrong), /SERVER_KEY_POOL is not valid/, wrong)
  })
})
