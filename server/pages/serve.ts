import { readdirSync, readFileSync } from 'node:fs'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { wordList } from '@quorate/core/word-list'
import type { Mailbox } from '../mail/mailbox.ts'

type File = { readonly type: string; readonly text: string }

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/**
 * Nothing but what this server itself serves is loaded, run or asked; nothing is embedded anywhere;
 * and no text becomes markup or code.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const headers = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': [
    'publickey-credentials-create=(self)',
    'publickey-credentials-get=(self)',
    ...['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb'].map(
      (feature) => `${feature}=()`,
    ),
  ].join(', '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // Pages and their modules fit each other only if they are of one release.
  'cache-control': 'no-cache',
} as const

/**
 * The plain pages for people: passkeys by invitation, log in, recover. Other origins get none of
 * them, unlike the API.
 *
 * @param mailbox of a development platform, whose mails are shown to whoever sits at this machine
 */
export function servePages(app: FastifyInstance, mailbox: Mailbox | undefined): void {
  for (const [path, { type, text }] of readPages()) {
    if (mailbox === undefined && path.startsWith('/pages/mailbox')) continue
    app.get(path, async (_request, reply) => ours(reply).type(type).send(text))
  }
  // Nothing of the API is there, and it is what somebody types.
  app.get('/', async (_request, reply) => ours(reply).redirect('/pages/login'))
  if (mailbox === undefined) return
  app.get('/pages/mailbox/mails', async (request, reply) => {
    if (!isFromHere(request))
      return ours(reply)
        .code(403)
        .send({ error: { message: 'not here' } })
    return ours(reply)
      .header('cache-control', 'no-store')
      .send({ items: await mailbox.list() })
  })
}

function ours(reply: FastifyReply): FastifyReply {
  return reply.removeHeader('access-control-allow-origin').headers(headers)
}

/**
 * A page of the world open in a browser of this machine can ask here too: by this address, or by a
 * name of its own that it has let point here (DNS rebinding).
 */
function isFromHere({ headers: given, hostname }: FastifyRequest): boolean {
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname.replace(/:[0-9]+$/, ''))
  const site = given['sec-fetch-site']
  return isLocal && (site === undefined ? given.origin === undefined : site === 'same-origin')
}

/** @returns by path: pages without an ending, everything else with its own */
export function readPages(folder = new URL('static/', import.meta.url)): ReadonlyMap<string, File> {
  const files = new Map<string, File>()
  for (const name of readdirSync(folder)) {
    const [stem = '', ending = ''] = name.split('.')
    const type = types[ending]
    if (type === undefined) continue
    const path = ending === 'html' ? `/pages/${stem}` : `/pages/${name}`
    files.set(path, { type, text: readFileSync(new URL(name, folder), 'utf8') })
  }
  const words = `export const words = ${JSON.stringify(wordList)}\n`
  files.set('/pages/words.js', { type: types['js'] ?? '', text: words })
  return files
}
