import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:tls'

// For tests of the supervisor: takes the server's environment, and counts whom it is linked to.

const { env } = process
const read = (name: string) => readFileSync(env[name] ?? '')
const connected = new Map<string, number>()

createTlsServer(
  {
    key: read('SERVER_TLS_KEY_FILE'),
    cert: read('SERVER_TLS_CERT_FILE'),
    ca: read('SERVER_TLS_CA_FILE'),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  },
  (socket) => {
    const id = String(socket.getPeerCertificate().subject.CN)
    connected.set(id, (connected.get(id) ?? 0) + 1)
    socket.on('error', () => undefined)
    socket.on('close', () => connected.set(id, (connected.get(id) ?? 1) - 1))
    socket.resume()
  },
).listen(Number(env['SERVER_LINK_PORT']), '127.0.0.1')

createServer((_request, response) => {
  const signers = [...connected].map(([id, count]) => ({ id, connected: count > 0 }))
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ status: 'ok', signers }))
}).listen(Number(env['SERVER_PORT']), '127.0.0.1')
