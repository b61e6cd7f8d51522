import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'

// For tests of the supervisor: takes a signer's environment, and keeps a link to the server.

const { env } = process
const read = (name: string) => readFileSync(env[name] ?? '')
if (read('SIGNER_KEK_FILE').length !== 32)
  throw new Error('The key-encryption key is not 32 bytes.')

function dial(): void {
  const { hostname, port } = new URL(env['SIGNER_SERVER_URL'] ?? '')
  const socket = connect({
    host: hostname,
    port: Number(port),
    key: read('SIGNER_TLS_KEY_FILE'),
    cert: read('SIGNER_TLS_CERT_FILE'),
    ca: read('SIGNER_TLS_CA_FILE'),
    minVersion: 'TLSv1.3',
  })
  socket.on('error', () => undefined)
  socket.on('close', () => setTimeout(dial, 50))
  socket.resume()
}
dial()
