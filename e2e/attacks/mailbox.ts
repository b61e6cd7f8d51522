import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf } from '@quorate/authority/credential'
import {
  encodeSigned,
  encodeStatement,
  statementChallenge,
  type Statement,
} from '@quorate/authority/statement'
import { signWith } from '@quorate/authority/testing/passkey'
import { nameOf } from '@quorate/core/id'
import { at, attack, gone, rule, without, type Attack, type Check, type Outcome } from './attack.ts'
import type { Cast } from './cast.ts'
import { honest, watched } from './drive.ts'
import { fresh, type Actor, type Stage } from './stage.ts'

/** What somebody puts into the mailbox that the server does not own, and what the server makes of it. */

type Words = Pick<Statement, 'kind' | 'target'> & Partial<Statement>

/** A statement as its author's own client signs it. */
export function word(stage: Stage, { user, by }: Actor, words: Words, bend: Bend = {}): Uint8Array {
  const { organization, now: issuedAt } = stage.world
  const encoded = encodeStatement({ organization, user, nonce: fresh(), issuedAt, ...words })
  const { asked = encoded, told = encoded } = bend.both?.(encoded) ?? {}
  const clientData = clientDataFor(statementChallenge(asked))
  const signature = signWith(by.key, clientData)
  const fingerprint = fingerprintOf(by.spki)
  return encodeSigned(told, { fingerprint, clientData, signature, authenticatorData: undefined })
}
type Bend = {
  /** What is signed and what is brought, where they are not the same or not what anybody writes. */
  readonly both?: (encoded: Uint8Array) => { asked?: Uint8Array; told?: Uint8Array }
}

/** How many honest signers take it for what it says. */
function accepted(stage: Stage, signed: Uint8Array): Promise<Outcome> {
  return watched(stage.world, async () => {
    const answers = honest.map((index) => stage.world.member(index).signer.accept(signed))
    const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.reason]))
    return { refusals, votes: answers.length - refusals.length, seals: 0, ...none }
  })
}
const none = { lastRounds: 0, isSigned: false }

const statement = (reason: string) =>
  without(at('authority/statement.ts', reason, `return '${reason}'`), [`return '${reason}'`, ';'])

const notActive = statement('the user is not active')

const saying = (
  name: string,
  check: Check,
  say: (cast: Cast) => Uint8Array | Promise<Uint8Array>,
  isVariant = false,
): Attack =>
  attack(name, check, async (cast) => accepted(cast.stage, await say(cast)), { isVariant })

const freezing = (target: Uint8Array) => ({ kind: 'freezeKey', target }) as const

const words: readonly Attack[] = [
  saying(
    'lifts a freeze by a word in the second mailbox',
    gone(
      at('signer/statements.ts', 'it cannot be read', 'if (read === undefined)'),
      " return { ok: false, reason: 'it cannot be read' }",
    ),
    ({ stage, wallet }) =>
      word(stage, stage.admin, freezing(wallet.key.id), {
        both: (encoded) => ({ asked: unknownKind(encoded), told: unknownKind(encoded) }),
      }),
  ),
  saying(
    'passes the signature of a request off as a word for the mailbox',
    gone(
      at('signer/statements.ts', 'it cannot be read', 'if (read === undefined)'),
      " return { ok: false, reason: 'it cannot be read' }",
    ),
    ({ stage, wallet }) => {
      const { preimage, assertions } = stage.transfer(stage.admin, wallet)
      const [assertion] = assertions
      if (assertion === undefined) throw new Error('not signed')
      return encodeSigned(preimage.slice(0, wordsBytesMax), assertion)
    },
    true,
  ),
  saying('has a stranger put a word into the mailbox', notActive, ({ stage, wallet }) => {
    const stranger = { ...stage.admin, user: fresh() }
    return word(stage, stranger, freezing(wallet.key.id))
  }),
  saying(
    'brings a word of another organization, or of the same under another cluster',
    notActive,
    ({ stage, wallet }) =>
      word(stage, stage.admin, { ...freezing(wallet.key.id), organization: fresh() }),
    true,
  ),
  saying(
    'signs a word of the administrator with a key of its own',
    statement('the credential is not active'),
    ({ stage, eve, wallet }) =>
      word(stage, { ...stage.admin, by: eve.by }, freezing(wallet.key.id)),
  ),
  saying(
    'stops a key as a user whom nobody has confirmed',
    statement('the credential is not confirmed'),
    ({ stage, eve, wallet }) => word(stage, eve, freezing(wallet.key.id)),
  ),
  saying(
    'turns a signed word against another key',
    statement('the signature is not valid'),
    ({ stage, wallet, hers }) => {
      const other = (encoded: Uint8Array) => ({ told: aimedAt(encoded, hers.key.id) })
      return word(stage, stage.admin, freezing(wallet.key.id), { both: other })
    },
  ),
  saying(
    'speaks by a token that was switched off',
    statement('the token is not active'),
    async ({ stage, bob, wallet }) => {
      const pat = await stage.createPat(bob)
      const path = `/auth/pats/${nameOf('token', pat.token?.id ?? fresh())}/deactivate`
      const ids = { tokenId: pat.token?.id ?? fresh() }
      await stage.put('tokenStatus', stage.ask(bob, { method: 'PUT', path, body: {}, ids }))
      return word(stage, pat, freezing(wallet.key.id))
    },
  ),
  saying(
    'denies an approval for ever by the word of an approver who is frozen',
    statement('the user is frozen'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const rights = ['Policies:Approvals:Approve']
      await stage.assign(await stage.createPermission(`Word of ${carl.name}`, rights), carl)
      const ids = { userId: carl.user }
      const frozen = { path: '/orgs/freezes', body: { userId: carl.name }, ids }
      await stage.put('freeze', stage.ask(stage.admin, frozen))
      return word(stage, carl, { kind: 'denyApproval', target: fresh() })
    },
  ),
  saying(
    'stops the wallet of one customer by the word of another',
    without(at('authority/statement.ts', 'the author may not take this away'), [
      "'the author may not take this away'",
      'undefined',
    ]),
    ({ stage, ulf, hers }) => word(stage, ulf, freezing(hers.key.id)),
  ),
]

/** Tag, organization and user; then a byte for what is said, and what it is said of. */
const afterKind = 32 + 32 + 8
const wordsBytesMax = 256

function unknownKind(encoded: Uint8Array): Uint8Array {
  return encoded.with(encoded.length - afterKind - 1, 0xff)
}

function aimedAt(encoded: Uint8Array, target: Uint8Array): Uint8Array {
  const aimed = Uint8Array.from(encoded)
  aimed.set(target, encoded.length - afterKind)
  return aimed
}

const unheard = without(
  at('signer/statements.ts', 'the key is frozen', 'if (kept.length === 0) return sealed'),
  ['if (kept.length === 0) return sealed', 'if (kept.length >= 0) return sealed'],
)

const kept: readonly Attack[] = [
  attack(
    'keeps a freeze of the second mailbox out of its log, and has the key used',
    unheard,
    async ({ stage }) => {
      const wallet = await stage.createWallet(stage.admin)
      const frozen = word(stage, stage.admin, freezing(wallet.key.id))
      for (const index of honest) stage.world.member(index).signer.accept(frozen)
      return stage.use(stage.transfer(stage.admin, wallet), wallet)
    },
  ),
  attack(
    'uses a credential that its user has revoked by the second mailbox alone',
    { ...unheard, reason: 'the credential is not active' },
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const target = stage.credentialId(carl)
      const revoked = word(stage, carl, { kind: 'revokeCredential', target })
      for (const index of honest) stage.world.member(index).signer.accept(revoked)
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'replays a word of the mailbox that the root quorum has lifted, to find a signer that forgot',
    rule('freeze', 'the statement was entered already'),
    async ({ stage }) => {
      const { key } = await stage.createWallet(stage.admin)
      const frozen = word(stage, stage.admin, freezing(key.id))
      const statement = Buffer.from(frozen).toString('hex')
      const entering = () => stage.ask(stage.admin, { path: '/orgs/freezes', body: { statement } })
      await stage.put('freeze', entering())
      return stage.propose('freeze', entering())
    },
  ),
]

export const mailbox: readonly Attack[] = [...words, ...kept]
