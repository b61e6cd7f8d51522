import { isWebAddress } from '@quorate/authority/origin'
import { isIP } from 'node:net'
import { count, filled, port, readSettings } from '@quorate/core/settings'
import { isNetwork } from './net/outward.ts'

export type ServerSettings = {
  /** The address of this machine that the API is opened on. */
  readonly host: string
  readonly port: number
  /** Where signers dial. */
  readonly linkHost: string
  readonly linkPort: number
  readonly databaseUrl: string
  readonly manifestFile: string
  readonly tlsKeyFile: string
  readonly tlsCertFile: string
  readonly tlsCaFile: string
  readonly tokenKeyFile: string
  readonly setupTokenFile: string
  readonly nodesFile: string
  readonly mailFile: string
  /** Empty: there are none. */
  readonly agreementsFile: string
  /** Empty: there is none. */
  readonly factsFile: string
  /** Empty: there is none. */
  readonly assetsFile: string
  /** Where people reach the pages: what links in mails begin with. */
  readonly publicUrl: string
  /** Whose pages may read answers besides those of the organizations' origins. */
  readonly corsOrigins: readonly string[]
  /** Keys of each organization and kind in use that are born ahead of need. */
  readonly keyPool: number
  /** What each organization may ask to have signed in a calendar month; 0: any number. */
  readonly monthlySignatures: number
  /** Of one's own, that events may be sent to besides public addresses. */
  readonly webhookNetworks: readonly string[]
  /** Empty: receivers of events are believed by the usual authorities alone. */
  readonly webhookAuthoritiesFile: string
}

/** Both ports are for this machine, unless told otherwise: a proxy with a certificate stands in front of the API. */
const loopback = '127.0.0.1'

const databaseUrl = {
  name: 'SERVER_DATABASE_URL',
  about: 'URL of a PostgreSQL database, such as postgres://user:password@host/name',
  read: databaseAddress,
} as const
const manifestFile = {
  name: 'SERVER_MANIFEST_FILE',
  about: 'the cluster manifest',
  read: filled,
} as const

const tokenKeyFile = {
  name: 'SERVER_TOKEN_KEY_FILE',
  about: 'Ed25519 key that signs bearer tokens, PEM',
  read: filled,
} as const

/** Without its scheme, a host with a port passes for a URL too: of the scheme that the host is. */
function databaseAddress(text: string): string | undefined {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined
}

/** 0 would be any port, which nobody could be told. */
const openPort = (text: string) => port(text) || undefined

const address = (text: string) => (isIP(text) === 0 ? undefined : text)

/** Pages and links hang on its root, in the clear on this machine alone. */
function originOf(text: string): string | undefined {
  const origin = text.replace(/\/$/, '')
  return isWebAddress(origin) && new URL(origin).origin === origin ? origin : undefined
}

const listening = {
  host: {
    name: 'SERVER_HOST',
    about: 'IP address that the API is opened on',
    read: address,
    fallback: loopback,
  },
  port: { name: 'SERVER_PORT', about: 'port of the API', read: openPort },
  linkHost: {
    name: 'SERVER_LINK_HOST',
    about: 'IP address of the port that signers dial',
    read: address,
    fallback: loopback,
  },
  linkPort: { name: 'SERVER_LINK_PORT', about: 'port that signers dial', read: openPort },
} as const

/** Each as browsers write it; a wildcard is none. */
function originList(text: string): readonly string[] | undefined {
  const all = text.split(',').flatMap((part) => part.trim() || [])
  return all.every((one) => isWebAddress(one) && new URL(one).origin === one) ? all : undefined
}

function networkList(text: string): readonly string[] | undefined {
  const all = text.split(',').flatMap((part) => part.trim() || [])
  return all.every(isNetwork) ? all : undefined
}

/** Three kinds of one organization are as many as signers keep for it (`signer/ceremonies/pool.ts`). */
const keyPoolMax = 5_000

function within(value: number | undefined, max: number): number | undefined {
  return value !== undefined && value <= max ? value : undefined
}

/** What a rebuild needs, of whatever a server is given. @throws Error with every mistake at once */
export function rebuildSettings(
  env: NodeJS.ProcessEnv = process.env,
): Pick<ServerSettings, 'databaseUrl' | 'manifestFile'> {
  return readSettings(env, { databaseUrl, manifestFile })
}

/** What a look at accusations needs. @throws Error with every mistake at once */
export function accusationsSettings(
  env: NodeJS.ProcessEnv = process.env,
): Pick<ServerSettings, 'databaseUrl'> {
  return readSettings(env, { databaseUrl })
}

/** What the secret of an identity provider's client needs. @throws Error with every mistake at once */
export function issuerSecretSettings(
  env: NodeJS.ProcessEnv = process.env,
): Pick<ServerSettings, 'databaseUrl' | 'tokenKeyFile'> {
  return readSettings(env, { databaseUrl, tokenKeyFile })
}

/** @throws Error with every mistake at once */
export function serverSettings(env: NodeJS.ProcessEnv): ServerSettings {
  const file = (name: string, about: string) => ({ name, about, read: filled })
  return readSettings<ServerSettings>(
    env,
    {
      ...listening,
      databaseUrl,
      manifestFile,
      tlsKeyFile: file('SERVER_TLS_KEY_FILE', 'key of the link certificate, PEM'),
      tlsCertFile: file('SERVER_TLS_CERT_FILE', 'link certificate, PEM'),
      tlsCaFile: file('SERVER_TLS_CA_FILE', 'who issued the certificates of signers, PEM'),
      tokenKeyFile,
      setupTokenFile: file('SERVER_SETUP_TOKEN_FILE', 'token for the first organization'),
      nodesFile: file('SERVER_NODES_FILE', 'addresses of blockchain nodes, JSON'),
      mailFile: file('SERVER_MAIL_FILE', 'how mail is sent, JSON'),
      agreementsFile: {
        ...file('SERVER_AGREEMENTS_FILE', 'terms that users are asked to accept, JSON'),
        fallback: '',
      },
      factsFile: {
        ...file('SERVER_FACTS_FILE', 'prices and denied addresses, JSON'),
        fallback: '',
      },
      assetsFile: {
        ...file('SERVER_ASSETS_FILE', 'tokens that the operator vouches for, JSON'),
        fallback: '',
      },
      publicUrl: {
        name: 'SERVER_PUBLIC_URL',
        about: 'origin at which people reach this server, such as https://wallets.example.com',
        read: originOf,
      },
      corsOrigins: {
        name: 'SERVER_CORS_ORIGINS',
        about: 'origins of pages that may read answers, by commas, such as https://a.example',
        read: originList,
        fallback: [],
      },
      keyPool: {
        name: 'SERVER_KEY_POOL',
        about: `keys of a kind that wait for whoever asks, up to ${keyPoolMax}; 0: none are born ahead of need`,
        read: (text) => within(count(text), keyPoolMax),
        fallback: 0,
      },
      monthlySignatures: {
        name: 'SERVER_MONTHLY_SIGNATURES',
        about: 'signatures that an organization may ask for in a calendar month; 0: any number',
        read: count,
        fallback: 0,
      },
      webhookNetworks: {
        name: 'SERVER_WEBHOOK_NETWORKS',
        about: 'networks of your own that events may be sent to, by commas, such as 10.1.0.0/16',
        read: networkList,
        fallback: [],
      },
      webhookAuthoritiesFile: {
        ...file(
          'SERVER_WEBHOOK_AUTHORITIES_FILE',
          'authorities that certify receivers of events besides the usual ones, PEM',
        ),
        fallback: '',
      },
    },
    'SERVER_',
  )
}
