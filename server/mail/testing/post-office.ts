import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

export type Received = {
  readonly recipients: readonly string[]
  readonly raw: string
  readonly secure: boolean
}

/** A real mail server, which keeps what it gets. */
export async function openPostOffice(options: SMTPServerOptions = {}, host = '127.0.0.1') {
  const received: Received[] = []
  const logins: string[] = []
  /** Answers that it gives to the next mails in place of taking them. */
  const refusals: { readonly status: number; readonly text: string }[] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: options.cert === undefined ? ['STARTTLS'] : [],
    allowInsecureAuth: true,
    logger: false,
    closeTimeout: 500,
    onAuth: ({ username = '', password }, _session, done) => {
      logins.push(username)
      if (password === 'right') done(null, { user: username })
      else done(new Error(`no such password: ${password}`))
    },
    onData: (stream, session, done) => {
      void text(stream).then((raw) => {
        const refusal = refusals.shift()
        if (refusal !== undefined)
          return done(Object.assign(new Error(refusal.text), { responseCode: refusal.status }))
        received.push({
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          raw,
          secure: session.secure,
        })
        done()
      })
    },
    ...options,
  })
  // Clients that refuse a certificate hang up: that is what some tests are about.
  server.on('error', () => undefined)
  const listener = server.listen(0, host)
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return {
    ...{ received, logins, refusals, port },
    close: () => new Promise<void>((resolve) => server.close(resolve)),
  }
}
export type PostOffice = Awaited<ReturnType<typeof openPostOffice>>
