import { randomBytes, sign } from 'node:crypto'
import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf, type Assertion } from '@quorate/authority/credential'
import {
  encodeSigned,
  encodeStatement,
  statementChallenge,
  type Statement,
} from '@quorate/authority/statement'
import { sha256 } from '@quorate/core/hash'
import type { Mailbox } from '../mailbox/mailbox.ts'
import { emptyMailbox } from '../mailbox/watch.ts'
import type { Person } from './requests.ts'
import type { World } from './world.ts'

export type Said = { readonly hash: Uint8Array; readonly signed: Uint8Array }

/** A statement, as any program would make it that knows the format. */
export function said(
  { organization, user, credential: { privateKey, spki } }: Person,
  words: Pick<Statement, 'kind' | 'target'> & Partial<Statement>,
  assertion = (challenge: string): Assertion => {
    const clientData = clientDataFor(challenge)
    const signature = new Uint8Array(sign(null, clientData, privateKey))
    return { fingerprint: fingerprintOf(spki), clientData, signature, authenticatorData: undefined }
  },
): Said {
  const nonce = new Uint8Array(randomBytes(32))
  const encoded = encodeStatement({ organization, user, nonce, issuedAt: 0, ...words })
  const signed = encodeSigned(encoded, assertion(statementChallenge(encoded)))
  return { hash: sha256(encoded), signed }
}

/** What this signer does at every turn. */
export function takeFrom(world: World, index: number, mailbox: Mailbox): Promise<void> {
  return emptyMailbox(world.member(index).signer, { mailbox, id: `signer-${index}` })
}
