import { isIP } from 'node:net'
import { createTransport } from 'nodemailer'
import type { Carrier } from './carrier.ts'

type Smtp = { readonly url: string; readonly from: string; readonly ca: string | undefined }

/** To be connected, and to hear anything. */
const connectMsMax = 10_000
const silenceMsMax = 30_000
/** The longest that one attempt takes; the lease of a mail is longer. */
export const attemptMsMax = connectMsMax + 2 * silenceMsMax
const ports = { smtp: 587, smtps: 465 }

/** A mail server by SMTP, always under TLS with a certificate that is checked, save on this machine. */
export function openSmtp({ url, from, ca }: Smtp): Carrier {
  const { protocol, hostname, port, username, password } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  const secure = protocol === 'smtps:'
  const plain = !secure && isLoopback(host)
  const transport = createTransport({
    ...{ host, secure, ignoreTLS: plain, requireTLS: !secure && !plain },
    port: port === '' ? (secure ? ports.smtps : ports.smtp) : Number(port),
    connectionTimeout: connectMsMax,
    greetingTimeout: connectMsMax,
    socketTimeout: silenceMsMax,
    tls: { minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca }) },
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  return {
    send: async ({ id, to, subject, text, createdAt }) => {
      await transport.sendMail({
        ...{ subject, text },
        from: { name: 'Quorate', address: from },
        to: { name: '', address: to },
        messageId: `<${id}@${domain}>`,
        date: new Date(createdAt),
        // RFC 3834: no robot answers it.
        headers: { 'Auto-Submitted': 'auto-generated' },
      })
    },
    close: () => transport.close(),
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
