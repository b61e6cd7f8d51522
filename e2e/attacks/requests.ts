import { assertionBy } from '@quorate/authority/testing/world'
import { signWith } from '@quorate/authority/testing/passkey'
import {
  challengeOf,
  decodePreimage,
  encodePreimage,
  type Preimage,
} from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { evmFacts, usualMaxFee } from '@quorate/signer/testing/uses'
import {
  at,
  attack,
  gone,
  rule,
  without,
  type Attack,
  type Check,
  type Replacement,
} from './attack.ts'
import { fresh, signedBy, type Actor } from './stage.ts'

/** What a server does to a request that a user has signed, and to the words in which he signs. */

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const invalid = rule('author', 'the signature is not valid')
const swapped = rule('author', 'the payload is not the one that was signed')
const nothing = without(
  rule(
    'author',
    'the request asks for nothing that changes anything',
    "item.cause.kind !== 'request' || !match?.operation.userAction",
  ),
  [
    "!match?.operation.userAction)\n    return refuse('the request asks for nothing that changes anything')",
    '!match?.operation.userAction) return undefined as never',
  ],
)

/** The same signature, under a pre-image with something else in it. */
function after(evidence: WholeEvidence, change: Partial<Preimage>): WholeEvidence {
  return {
    ...evidence,
    preimage: encodePreimage({ ...decodePreimage(evidence.preimage), ...change }),
  }
}

/** Swaps one thing of a signed transfer. */
const swap = (what: string, change: (asked: Preimage) => Partial<Preimage>): Attack =>
  attack(
    `swaps the ${what} of a signed request`,
    invalid,
    ({ stage, wallet }) => {
      const asked = stage.transfer(stage.admin, wallet)
      return stage.use(after(asked, change(decodePreimage(asked.preimage))), wallet)
    },
    { isVariant: true },
  )

/** A challenge in clientData as no client writes it, signed by the user's own key. */
const dressed = (how: string, check: Check, clientData: (challenge: string) => unknown): Attack =>
  attack(how, check, ({ stage, wallet }) => {
    const asked = stage.transfer(stage.admin, wallet)
    const said = clientData(challengeOf(asked.preimage))
    const text = toUtf8(typeof said === 'string' ? said : JSON.stringify(said))
    const [assertion] = asked.assertions
    if (assertion === undefined) throw new Error('not signed')
    const signature = signWith(stage.admin.by.key, text)
    return stage.use(
      { ...asked, assertions: [{ ...assertion, clientData: text, signature }] },
      wallet,
    )
  })
const asVariant = (one: Attack): Attack => ({ ...one, isVariant: true })
const credential = 'authority/credential.ts'
const challengeCheck = unsigned(credential, ["read['challenge'] === challenge", 'true'])

/** Bytes that are taken for no signature at all. */
function unsigned(file: string, replacement: Replacement): Check {
  return without(at(file, invalid.reason, replacement[0]), replacement)
}

/** Whatever this person signs, under another path. */
const ofPath = (name: string, check: Attack['check'], path: (by: Actor) => string): Attack =>
  attack(name, check, ({ stage, machine }) =>
    stage.propose(
      'userStatus',
      stage.ask(stage.admin, {
        ...{ method: 'DELETE', path: path(machine), body: {} },
        preimage: { subjects: [{ role: 'serviceAccountId', id: machine.user }] },
      }),
    ),
  )

export const requests: readonly Attack[] = [
  attack('bends the signature of a user', invalid, ({ stage, wallet }) => {
    const asked = stage.transfer(stage.admin, wallet)
    const [assertion] = asked.assertions
    if (assertion === undefined) throw new Error('not signed')
    const signature = assertion.signature.with(9, 1 ^ (assertion.signature[9] ?? 0))
    return stage.use({ ...asked, assertions: [{ ...assertion, signature }] }, wallet)
  }),
  swap('nonce', () => ({ nonce: fresh() })),
  swap('level of verification', () => ({ verification: 'verified' })),
  swap('fee bound', ({ maxFee = 0n }) => ({ maxFee: maxFee * 1000n })),
  swap('deadline', ({ executeBefore }) => ({ executeBefore: executeBefore + dayMs })),
  attack(
    'adds force=true to a removal that was signed without it',
    invalid,
    ({ stage, machine }) => {
      const path = `/auth/service-accounts/${machine.name}`
      const ids = { serviceAccountId: machine.user }
      const asked = stage.ask(stage.admin, { method: 'DELETE', path, body: {}, ids })
      return stage.propose('userStatus', after(asked, { path: `${path}?force=true` }))
    },
    { isVariant: true },
  ),
  attack(
    'moves a signed transfer to another wallet by its path',
    invalid,
    ({ stage, wallet, hers }) => {
      const asked = stage.transfer(stage.admin, wallet)
      const path = `/wallets/${hers.name}/transfers`
      const subjects = [{ role: 'walletId', id: hers.id }]
      return stage.use(after(asked, { path, subjects }), hers)
    },
    { isVariant: true },
  ),
  attack(
    'has one user pay with what another has signed',
    invalid,
    ({ stage, bob, wallet }) => {
      const asked = stage.transfer(bob, wallet)
      const assertions = [assertionBy(stage.admin.by, stage.transfer(stage.admin, wallet).preimage)]
      const preimage = after(asked, { user: stage.admin.user }).preimage
      return stage.use({ ...asked, preimage, assertions }, wallet)
    },
    { isVariant: true },
  ),

  dressed(
    'has a challenge signed that is no text but a list with the text in it',
    challengeCheck,
    (challenge) => ({ type: 'key.get', challenge: [challenge] }),
  ),
  asVariant(
    dressed('has the challenge signed in padded base64', challengeCheck, (challenge) => ({
      type: 'key.get',
      challenge: `${challenge}=`,
    })),
  ),
  asVariant(
    dressed('has the challenge signed encoded once more', challengeCheck, (challenge) => ({
      type: 'key.get',
      challenge: toBase64url(toUtf8(challenge)),
    })),
  ),
  asVariant(
    dressed(
      'has the challenge signed with stray bits in its last character',
      challengeCheck,
      (challenge) => ({ type: 'key.get', challenge: `${challenge.slice(0, -1)}-` }),
    ),
  ),
  asVariant(
    dressed('makes an action of the creation of a key', challengeCheck, (challenge) => ({
      type: 'key.create',
      challenge,
    })),
  ),
  dressed(
    'has a clientData signed that names its challenge twice',
    unsigned('core/json.ts', [
      "if (entries.has(name)) throw malformed('a member given twice')",
      '',
    ]),
    (challenge) => `{"type":"key.get","challenge":"x","challenge":"${challenge}"}`,
  ),
  attack(
    'brings authenticator data beside the signature of a key',
    unsigned(credential, ['authenticatorData === undefined &&\n', '']),
    ({ stage, wallet }) => {
      const asked = stage.transfer(stage.admin, wallet)
      const assertions = asked.assertions.map((one) => ({ ...one, authenticatorData: fresh() }))
      return stage.use({ ...asked, assertions }, wallet)
    },
  ),

  attack('pays somebody else than was signed', swapped, ({ stage, wallet }) => {
    const asked = stage.transfer(stage.admin, wallet)
    const body = { ...JSON.parse(asked.payload), to: `0x${'66'.repeat(20)}` }
    return stage.use({ ...asked, payload: JSON.stringify(body) }, wallet)
  }),
  attack(
    'opens the same commitment by another salt',
    swapped,
    ({ stage, wallet }) =>
      stage.use({ ...stage.transfer(stage.admin, wallet), salt: fresh() }, wallet),
    { isVariant: true },
  ),
  attack(
    'writes other subjects into the item than into the request',
    rule('author', 'the item names other subjects'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        item: (item) => ({ ...item, subjects: [{ role: 'walletId', id: fresh() }] }),
      }),
  ),
  attack(
    'brings a request of another organization',
    rule('author', 'the request is for another organization'),
    ({ stage, wallet }) =>
      stage.use(
        stage.transfer(stage.admin, wallet, { preimage: { organization: fresh() } }),
        wallet,
      ),
  ),
  attack(
    'gives a request a year to be used in',
    rule('author', 'the request allows itself too much time'),
    ({ stage, wallet }) => {
      const { now } = stage.world
      const preimage = { signBefore: now + dayMs, executeBefore: now + 365 * dayMs }
      return stage.use(stage.transfer(stage.admin, wallet, { preimage }), wallet)
    },
  ),
  attack(
    'has a request signed for tomorrow',
    rule('author', 'the request comes from the future'),
    ({ stage, wallet }) => {
      const issuedAt = stage.world.now + dayMs
      const preimage = { issuedAt, signBefore: issuedAt + 1, executeBefore: issuedAt + 2 }
      return stage.use(stage.transfer(stage.admin, wallet, { preimage }), wallet)
    },
  ),
  attack(
    'uses a request after it was to be signed',
    gone(
      rule('author', 'the request has expired', 'if (!isLater && step.time > signBefore)'),
      " refuse('the request has expired')",
    ),
    ({ stage, wallet }) => {
      const { now } = stage.world
      const preimage = { issuedAt: now - 2 * minuteMs, signBefore: now - minuteMs }
      return stage.use(stage.transfer(stage.admin, wallet, { preimage }), wallet)
    },
  ),
  attack(
    'renews a request after it was to be executed',
    gone(
      rule('author', 'the request has expired', 'if (step.time > executeBefore)'),
      " refuse('the request has expired')",
    ),
    async ({ stage, wallet }) => {
      const executeBefore = stage.world.now + minuteMs
      const preimage = { signBefore: executeBefore, executeBefore }
      const asked = stage.transfer(stage.admin, wallet, { preimage })
      await stage.put('use', asked, stage.placeOf(wallet))
      stage.world.pass(2 * minuteMs)
      return stage.propose('renew', asked, { place: stage.placeOf(wallet), key: wallet.key })
    },
  ),
  attack(
    'names another request in the item than the one that was signed',
    without(
      at(
        'authority/opaque-step.ts',
        'not the step of its bytes',
        "cause.kind === 'request') return",
      ),
      ['return equalBytes(cause.hash, sha256(preimage))', 'return true'],
    ),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        item: (item) => ({ ...item, cause: { kind: 'request', hash: fresh() } }),
      }),
  ),
  attack(
    'has a client pay that signs what it has not looked at, where that is not enough',
    rule('author', 'no client has proved that it checked this request'),
    async ({ stage, wallet }) => {
      await stage.settle({ requireChecked: ['wallets.transferAsset'] })
      const outcome = await stage.use(stage.transfer(stage.admin, wallet), wallet)
      await stage.settle({ requireChecked: [] })
      return outcome
    },
  ),
  dressed(
    'has a clientData signed with a member that readers of JSON treat as none',
    unsigned('core/json.ts', [
      "if (name === '__proto__') throw malformed('a member named __proto__')",
      '',
    ]),
    (challenge) => `{"type":"key.get","__proto__":{"challenge":"x"},"challenge":"${challenge}"}`,
  ),
  dressed(
    'has a second text signed behind the clientData',
    unsigned('core/json.ts', [
      "if (this.at !== this.text.length) throw malformed('text after the value')",
      '',
    ]),
    (challenge) => `{"type":"key.get","challenge":"${challenge}"} {"challenge":"x"}`,
  ),
  attack('has a path signed that nobody serves', nothing, ({ stage, wallet }) =>
    stage.use(stage.ask(stage.admin, { path: '/wallets/all/transfers/now', body: {} }), wallet),
  ),
  attack(
    'makes an action of the request for a login',
    nothing,
    ({ stage, wallet }) =>
      stage.use(
        stage.ask(stage.admin, {
          path: '/auth/login',
          body: {},
          preimage: { purpose: 'action' },
        }),
        wallet,
      ),
    { isVariant: true },
  ),
  attack(
    'makes a transfer of a login',
    rule('author', 'the challenge was for something else'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet, { preimage: { purpose: 'login' } }), wallet, {
        item: (item) => ({ ...item, cause: causeOf(item.cause) }),
      }),
    { isVariant: false },
  ),
  ofPath(
    'has force signed twice, for readers that disagree about which counts',
    gone(at('authority/operations.ts', nothing.reason, 'new Set(names).size === names.length &&')),
    ({ name }) => `/auth/service-accounts/${name}?force=true&force=false`,
  ),
  ofPath(
    'has force signed in a spelling that a laxer reader takes for it',
    gone(at('authority/operations.ts', nothing.reason, 'signedQuery.includes(name) &&')),
    ({ name }) => `/auth/service-accounts/${name}?Force=true`,
  ),
  ofPath(
    'has a path signed in another spelling than its one',
    without(
      at(
        'authority/operations.ts',
        nothing.reason,
        'encodeURIComponent(decoded) === text ? decoded : undefined',
      ),
      ['encodeURIComponent(decoded) === text ?', 'true ?'],
    ),
    ({ name }) => `/auth/service%2Daccounts/${name}`,
  ),
  attack(
    'brings a request that nobody has signed',
    rule('author', 'nobody has signed'),
    ({ stage, wallet }) =>
      stage.use({ ...stage.transfer(stage.admin, wallet), assertions: [] }, wallet),
  ),
  attack(
    'counts one signature as first and second factor',
    rule('author', 'one credential has signed twice'),
    ({ stage, wallet }) => {
      const asked = stage.transfer(stage.admin, wallet)
      return stage.use({ ...asked, assertions: [...asked.assertions, ...asked.assertions] }, wallet)
    },
  ),
  attack(
    'names a wallet by its short name alone',
    rule('author', 'the subjects are not those of the request'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet, { preimage: { subjects: [] } }), wallet),
  ),
  attack(
    'stands another thing behind the name of a wallet',
    without(
      rule(
        'author',
        'the subject walletId is not the one that is named',
        'the subject ${role} is not the one that is named',
      ),
      ['refuse(`the subject ${role} is not the one that is named`)', '(undefined as never)'],
    ),
    ({ stage, wallet, hers }) =>
      stage.use(stage.transfer(stage.admin, wallet, { ids: { walletId: hers.id } }), hers),
  ),
  attack(
    'begins an organization with an ordinary request',
    rule('author', 'an organization begins with its genesis'),
    ({ stage }) => {
      const organization = fresh()
      const place = { organization, stream: rootOf(organization) }
      const asked = stage.inviting(stage.admin)
      const preimage = encodePreimage({ ...decodePreimage(asked.preimage), organization })
      return stage.propose('user', signedBy(stage.admin.by, { ...asked, preimage }, preimage), {
        place,
      })
    },
  ),

  attack(
    'has a raised fee signed by nobody',
    without(at('judge/rules.ts', 'the fee is above what was signed'), [
      "if (effect.feeMax > ask.maxFee) return 'the fee is above what was signed'",
      '',
    ]),
    ({ stage, wallet }) => {
      const facts = evmFacts(900n, { maxFeePerGas: usualMaxFee / 21_000n + 1n })
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 900n, facts }), wallet)
    },
  ),
  attack(
    'adds a fee to a request that bounds none',
    without(at('judge/rules.ts', 'the request bounds no fee'), [
      "if (ask.maxFee === undefined) return 'the request bounds no fee'",
      '',
    ]),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet, { preimage: { maxFee: undefined } }), wallet),
  ),
  attack(
    'has a user bound a fee that no network has ever taken',
    without(at('effects/evm/effect.ts', 'the fee is above the ceiling'), [
      "if (feeMax > context.network.feeCeiling) throw refused('the fee is above the ceiling')",
      '',
    ]),
    ({ stage, wallet }) => {
      const facts = evmFacts(901n, { maxFeePerGas: 10n ** 15n })
      const given = { nonce: 901n, facts, maxFee: 10n ** 30n }
      return stage.use(stage.transfer(stage.admin, wallet, given), wallet)
    },
  ),
  attack(
    'makes the facts of a transaction unreadable',
    without(at('judge/rules.ts', 'the facts are not well-formed'), [
      "if (facts === undefined) return refused('the facts are not well-formed')",
      '',
    ]),
    ({ stage, wallet }) =>
      stage.use({ ...stage.transfer(stage.admin, wallet), facts: fresh(7) }, wallet),
  ),
]

function causeOf(cause: { readonly kind: string }) {
  const hash = 'preimage' in cause ? cause.preimage : 'hash' in cause ? cause.hash : undefined
  if (!(hash instanceof Uint8Array)) throw new Error('no cause')
  return { kind: 'request', hash } as const
}
