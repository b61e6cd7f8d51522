import { filled, hex32, readSettings } from '@quorate/core/settings'
import { mailboxAddresses, mailboxesMax } from './mailbox/mailbox.ts'

export type SignerSettings = {
  readonly id: string
  readonly storeFile: string
  /** Exactly one of the two is given; the other is empty. */
  readonly kekFile: string
  readonly kekCommand: string
  readonly identityFile: string
  readonly manifestFile: string
  readonly manifestHash: string
  readonly serverUrl: string
  readonly tlsKeyFile: string
  readonly tlsCertFile: string
  readonly tlsCaFile: string
  /** Empty: this signer knows no prices and no deny list of its own. */
  readonly factsFile: string
  /** Folders and URLs that the server does not own, where statements are looked for. */
  readonly mailboxes: readonly string[]
  /** Empty but for the one start at which an operator lifts a stop. */
  readonly liftStop: string
}

const httpsUrl = (text: string) =>
  URL.canParse(text) && new URL(text).protocol === 'https:' ? text : undefined

/** @throws Error with every mistake at once */
export function signerSettings(env: NodeJS.ProcessEnv = process.env): SignerSettings {
  const file = (name: string, about: string) => ({ name, about, read: filled })
  const settings = readSettings<SignerSettings>(
    env,
    {
      id: file('SIGNER_ID', 'the name that the manifest gives this signer'),
      storeFile: file(
        'SIGNER_STORE_FILE',
        'file of all that this signer must remember; made only where its mark says 0',
      ),
      kekFile: {
        ...file('SIGNER_KEK_FILE', 'file of 32 bytes, for its owner alone'),
        fallback: '',
      },
      kekCommand: { ...file('SIGNER_KEK_COMMAND', 'command that prints 32 bytes'), fallback: '' },
      identityFile: file('SIGNER_IDENTITY_FILE', 'Ed25519 key, PKCS#8 PEM'),
      manifestFile: file('SIGNER_MANIFEST_FILE', 'the cluster manifest'),
      manifestHash: {
        name: 'SIGNER_MANIFEST_HASH',
        about: 'hash of the manifest that the operator means, 64 hex digits',
        read: hex32,
      },
      serverUrl: {
        name: 'SIGNER_SERVER_URL',
        about: 'where to dial, an https URL',
        read: httpsUrl,
      },
      tlsKeyFile: file('SIGNER_TLS_KEY_FILE', 'key of the link certificate, PEM'),
      tlsCertFile: file('SIGNER_TLS_CERT_FILE', 'link certificate, PEM'),
      tlsCaFile: file('SIGNER_TLS_CA_FILE', 'who issued the certificate of the server, PEM'),
      factsFile: {
        ...file('SIGNER_FACTS_FILE', 'prices and denied addresses that this signer goes by, JSON'),
        fallback: '',
      },
      mailboxes: {
        name: 'SIGNER_MAILBOX',
        about: `up to ${mailboxesMax} folders, each beginning with / or ., and https URLs where statements are put, with commas`,
        read: mailboxAddresses,
        fallback: [],
      },
      liftStop: {
        name: 'SIGNER_LIFT_STOP',
        about: 'the `stop` of an alarm whose evidence was looked at, 64 hex digits',
        read: hex32,
        fallback: '',
      },
    },
    'SIGNER_',
  )
  if ((settings.kekFile === '') === (settings.kekCommand === ''))
    throw new Error('Cannot start.\n  Give SIGNER_KEK_FILE or SIGNER_KEK_COMMAND, one of them.')
  return settings
}
