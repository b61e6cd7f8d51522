import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { makePerson } from '@quorate/authority/testing/world'
import { newPasskey } from '@quorate/authority/testing/passkey'
import { challengeOf } from '@quorate/authority/request'
import { toUtf8 } from '@quorate/core/bytes'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { sha256 } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import { attack, at, gone, rule, without, type Attack } from './attack.ts'
import { fresh, made, signedBy, type Actor, type Stage } from './stage.ts'
import { unauthorized } from './tokens.ts'

/** The server as its own newcomer: invitations, registrations, codes and confirmations. */

const notConfirmed = rule('author', 'the credential is not confirmed')
const notActive = rule('author', 'the credential is not active')

export const people: readonly Attack[] = [
  attack(
    'signs as an invited user with credentials that it registered itself',
    notConfirmed,
    ({ stage, eve, wallet }) => stage.use(stage.transfer(eve, wallet), wallet),
  ),
  attack(
    'gives rights to itself as a user whom nobody has confirmed',
    notConfirmed,
    ({ stage, eve, bobsPermission }) =>
      stage.propose(
        'assignment',
        stage.assigning(eve, bobsPermission, { id: eve.user, name: eve.name }),
      ),
    { isVariant: true },
  ),
  attack(
    'invents a user and signs as him',
    rule('author', 'the user is not active'),
    ({ stage, wallet }) => {
      const nobody: Actor = { user: fresh(), name: 'us-x', by: makePerson() }
      return stage.use(stage.transfer(nobody, wallet), wallet)
    },
  ),
  attack('signs as the administrator with a key of its own', notActive, ({ stage, wallet }) => {
    const mine = { ...stage.admin, by: makePerson() }
    return stage.use(stage.transfer(mine, wallet), wallet)
  }),
  attack(
    'adds a user to the log without anybody’s word',
    rule('completion', 'the request completes nothing'),
    ({ stage }) =>
      stage.propose(
        'user',
        stage.completion({ path: '/auth/users' }, () => ({ kind: 'EndUser' })),
      ),
  ),
  attack(
    'has an end user born by social login where no provider is trusted',
    rule('users', 'there is no provider of social login'),
    ({ stage }) =>
      stage.propose(
        'user',
        stage.completion({ purpose: 'social', path: '/auth/registration/social' }, () => ({})),
      ),
  ),
  attack(
    'signs as an end user whom it has born by social login, with a token that it made itself',
    notConfirmed,
    async ({ stage, wallet }) => {
      const clientIds = ['wallet-app']
      const issuer = { use: 'social', issuer: 'https://login.example.test', clientIds }
      await stage.settle({ issuers: [issuer] })
      const path = '/auth/registration/social'
      const born = stage.completion({ purpose: 'social', path }, () => ({}))
      const user = made(await stage.put('user', born), 'user')
      const actor = await stage.newcomer(user, false, { path: '/auth/registration/enduser' })
      await stage.assign(stage.everything, actor)
      const outcome = await stage.use(stage.transfer(actor, wallet), wallet)
      await stage.settle({ issuers: [] })
      return outcome
    },
    { isVariant: true },
  ),
  attack(
    'names a user that is there already in the social login of somebody else',
    rule('users', 'the challenge is for a user who is there already'),
    async ({ stage, bob }) => {
      const issuer = { issuer: 'https://login.example.test', clientIds: ['wallet-app'] }
      await stage.settle({ issuers: [{ use: 'social', ...issuer }] })
      const path = '/auth/registration/social'
      const taken = stage.completion({ purpose: 'social', path, user: bob.user }, () => ({}))
      const outcome = await stage.propose('user', taken)
      await stage.settle({ issuers: [] })
      return outcome
    },
  ),
  attack(
    'registers a user who has registered',
    rule('registration', 'the user is registered already'),
    ({ stage, bob }) =>
      stage.propose('registration', stage.registering(bob.user, newKeyCredential())),
  ),
  attack(
    'registers a user who was archived',
    rule('registration', 'the user is not active'),
    async ({ stage }) => {
      const gone = await stage.invite()
      const wish = { method: 'DELETE', path: `/auth/users/${gone.name}`, body: {} }
      await stage.put('userStatus', stage.ask(stage.admin, { ...wish, ids: { userId: gone.id } }))
      return stage.propose('registration', stage.registering(gone.id, newKeyCredential()))
    },
  ),
  attack(
    'registers its own key where the invitation has pinned another',
    rule('registration', 'the pinned key has not signed the enrolment'),
    async ({ stage }) => {
      const invited = await stage.invite({ publicKey: makePerson().pem })
      return stage.propose('registration', stage.registering(invited.id, newKeyCredential()))
    },
  ),
  attack(
    'signs the enrolment of a pinned invitation with its own key',
    rule('registration', 'the enrolment is not signed by the pinned key'),
    async ({ stage }) => {
      const invited = await stage.invite({ publicKey: makePerson().pem })
      const asked = stage.registering(invited.id, newKeyCredential())
      return stage.propose('registration', signedBy(makePerson(), asked))
    },
  ),
  attack(
    'registers an employee by the way of end users',
    rule('registration', 'the user is no end user'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const path = '/auth/registration/enduser'
      return stage.propose(
        'registration',
        stage.registering(invited.id, newKeyCredential(), { path }),
      )
    },
  ),
  attack(
    'registers a passkey that was made for another challenge',
    at('authority/attestation.ts', 'the key was not made for this challenge'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const replayed = newKeyCredential().create(challengeOf(fresh()))
      const asked = stage.completion({ user: invited.id, path: '/auth/registration' }, () => ({
        firstFactorCredential: replayed,
      }))
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'registers a passkey of a page of its own',
    at('authority/attestation.ts', 'the passkey is of another relying party or origin'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const phished = newPasskey({ relyingParty: 'evil.test' })
      const asked = stage.completion(
        { user: invited.id, path: '/auth/registration' },
        (challenge) => ({ firstFactorCredential: phished.create(challenge) }),
      )
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'registers a key whose attestation somebody else has signed',
    at('authority/attestation.ts', 'the signature of the attestation is not valid'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const [theirs, mine] = [newKeyCredential(), newKeyCredential()]
      const asked = stage.completion(
        { user: invited.id, path: '/auth/registration' },
        (challenge) => {
          const { credentialInfo, ...rest } = theirs.create(challenge)
          const read = JSON.parse(
            Buffer.from(
              mine.create(challenge).credentialInfo.attestationData,
              'base64url',
            ).toString(),
          )
          const forged = { ...read, publicKey: theirs.pem }
          const attestationData = Buffer.from(JSON.stringify(forged)).toString('base64url')
          return {
            firstFactorCredential: {
              ...rest,
              credentialInfo: { ...credentialInfo, attestationData },
            },
          }
        },
      )
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'registers a key that opens under many messages',
    at('authority/attestation.ts', 'the public key is not usable'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const small = Buffer.concat([
        Buffer.from('302a300506032b6570032100', 'hex'),
        Buffer.alloc(32),
      ])
      small[12] = 1
      const pem = `-----BEGIN PUBLIC KEY-----\n${small.toString('base64')}\n-----END PUBLIC KEY-----`
      const asked = stage.completion(
        { user: invited.id, path: '/auth/registration' },
        (challenge) => {
          const own = newKeyCredential().create(challenge)
          const text = JSON.stringify({ publicKey: pem, signature: '00'.repeat(64) })
          const attestationData = Buffer.from(text).toString('base64url')
          return {
            firstFactorCredential: {
              ...own,
              credentialInfo: { ...own.credentialInfo, attestationData },
            },
          }
        },
      )
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'brings a recovery key in the place of a first factor',
    rule('new-credentials', 'a credential of this kind is not asked for'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const recovery = newKeyCredential({ kind: 'RecoveryKey' })
      return stage.propose('registration', stage.registering(invited.id, recovery))
    },
  ),
  attack(
    'brings a key that it keeps under a password, where those are off',
    at('authority/reduce/attested.ts', 'keys under a password are not in use'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const kept = newKeyCredential({ kind: 'PasswordProtectedKey' })
      return stage.propose('registration', stage.registering(invited.id, kept))
    },
  ),
  attack(
    'swaps the credentials in a registration after its challenge',
    without(
      at('authority/opaque-step.ts', 'not the step of its bytes', '|| !isCausedBy(cause, beside)'),
      ['|| !isCausedBy(cause, beside)', ''],
    ),
    async ({ stage }) => {
      const invited = await stage.invite()
      const asked = stage.registering(invited.id, newKeyCredential())
      const body = sha256(toUtf8('{}'))
      return stage.propose('registration', asked, {
        item: (item) =>
          item.cause.kind === 'completion' ? { ...item, cause: { ...item.cause, body } } : item,
      })
    },
  ),
  attack(
    'makes a registration of a challenge for an action',
    rule('completion', 'the challenge was for something else'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const change = { purpose: 'recover' } as const
      return stage.propose(
        'registration',
        stage.registering(invited.id, newKeyCredential(), { change }),
      )
    },
  ),
  attack(
    'uses the challenge of a registration twice',
    gone(
      rule(
        'item',
        'the request has been used',
        'if (reader.read(step.stream, recordKey(requestTable, challenge)) !== undefined)',
      ),
      "\n    refuse('the request has been used')",
    ),
    async ({ stage }) => {
      const invited = await stage.invite()
      const asked = stage.registering(invited.id, newKeyCredential())
      await stage.put('registration', asked)
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'confirms itself with another set of credentials than was signed for',
    rule('confirmation', 'the credentials are others than those that were named'),
    ({ stage, eve }) =>
      stage.propose(
        'confirmation',
        stage.confirming(stage.admin, { id: eve.user, name: eve.name }, fresh()),
      ),
  ),
  attack(
    'has a confirmation signed that names no credentials, and fills them in',
    rule('confirmation', 'no credentials are named'),
    ({ stage, eve }) =>
      stage.propose(
        'confirmation',
        stage.ask(stage.admin, {
          ...{ path: `/auth/users/${eve.name}/confirm`, body: {} },
          ids: { userId: eve.user },
        }),
      ),
  ),
  attack(
    'replays a confirmation for credentials that came later',
    rule('confirmation', 'there is nothing to confirm'),
    ({ stage, bob }) =>
      stage.propose(
        'confirmation',
        stage.confirming(stage.admin, { id: bob.user, name: bob.name }),
      ),
  ),
  attack(
    'has an end user invite its people',
    rule('author', 'no caller of this kind may ask for this'),
    ({ stage, ulla }) => stage.propose('user', stage.inviting(ulla)),
  ),
  attack('has an employee without the right invite its people', unauthorized, ({ stage, bob }) =>
    stage.propose('user', stage.inviting(bob)),
  ),
  attack(
    'makes an end user of an invitation of employees',
    rule('users', 'only employees are invited'),
    ({ stage }) => stage.propose('user', stage.inviting(stage.admin, { kind: 'EndUser' })),
  ),
  attack(
    'brings a device by a code that nobody asked for',
    rule('credentials', 'there is no such code'),
    ({ stage, bob }) => stage.propose('credential', byCode(stage, bob.user, fresh())),
  ),
  attack(
    'brings a second device by one code',
    rule('credentials', 'the code has been used'),
    async ({ stage, bob }) => {
      const code = await codeOf(stage, bob)
      await stage.put('credential', byCode(stage, bob.user, code))
      return stage.propose('credential', byCode(stage, bob.user, code))
    },
  ),
  attack(
    'brings a device for one user by the code of another',
    rule('credentials', 'there is no such code', 'equalBytes(code.user, user)'),
    async ({ stage, bob }) => {
      const code = await codeOf(stage, bob)
      return stage.propose('credential', byCode(stage, stage.admin.user, code))
    },
    { isVariant: true },
  ),
  attack(
    'brings a device by a code that has expired',
    gone(rule('credentials', 'the code has expired', 'issuedAt > code.expiresAt ||')),
    async ({ stage, bob }) => {
      const code = await codeOf(stage, bob)
      stage.world.pass(3 * 60_000)
      return stage.propose('credential', byCode(stage, bob.user, code))
    },
  ),
  attack(
    'brings a way back by a code, to recover by it later',
    rule('credentials', 'no code brings a recovery key'),
    async ({ stage, bob }) => {
      const code = await codeOf(stage, bob)
      const recovery = newKeyCredential({ kind: 'RecoveryKey' })
      return stage.propose('credential', byCode(stage, bob.user, code, recovery))
    },
  ),
  attack(
    'signs with a device that came by a code',
    notConfirmed,
    async ({ stage, bob, wallet }) => {
      const code = await codeOf(stage, bob)
      const device = newKeyCredential()
      await stage.put('credential', byCode(stage, bob.user, code, device))
      return stage.use(stage.transfer({ ...bob, by: device }, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'has a code asked for that is good for a year',
    rule('credentials', 'the code would be good for more than a minute'),
    ({ stage, bob }) => {
      const expiration = stage.world.now + 365 * 24 * 3600_000
      const wish = { path: '/auth/credentials/code', body: { expiration } }
      return stage.propose('credentialCode', stage.ask(bob, wish))
    },
  ),
  attack(
    'adds a credential with the attestation of another challenge as its facts',
    rule('credentials', 'the challenge of the attestation was for something else'),
    ({ stage, bob }) => {
      const facts = stage.challenge({ purpose: 'register', user: bob.user })
      const body = newKeyCredential().create(challengeOf(facts))
      const wish = { path: '/auth/credentials', body: { ...body, credentialName: 'x' }, facts }
      return stage.propose('credential', stage.ask(bob, wish))
    },
  ),
  attack(
    'takes away the last credential of a user',
    rule('credentials', 'it is the last credential that can sign'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const id = stage.credentialId(carl)
      return stage.propose('credentialStatus', stage.ask(carl, ending(id)))
    },
  ),
  attack(
    'takes away another user’s credential',
    without(
      rule(
        'credentials',
        'there is no such credential',
        'named === undefined || !equalBytes(named.user, user)',
      ),
      ['named === undefined || !equalBytes(named.user, user)', 'named === undefined'],
      // What is looked up by the author finds nothing of anybody else.
      [
        'const { fingerprint } = named\n  const credential = find(judging, credentialTable, user,',
        'const { fingerprint } = named\n  const credential = find(judging, credentialTable, named.user,',
      ],
    ),
    ({ stage, bob }) => {
      const id = stage.credentialId(stage.admin)
      return stage.propose('credentialStatus', stage.ask(bob, ending(id)))
    },
  ),
  attack(
    'signs with a credential that its user has deactivated',
    notActive,
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const code = await codeOf(stage, carl)
      const second = newKeyCredential()
      await stage.put('credential', byCode(stage, carl.user, code, second))
      await stage.put(
        'confirmation',
        stage.confirming(stage.admin, { id: carl.user, name: carl.name }),
      )
      await stage.put('credentialStatus', stage.ask(carl, ending(stage.credentialId(carl, 1))))
      return stage.use(stage.transfer({ ...carl, by: second }, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'signs with a credential that its user has archived',
    notActive,
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const second = newKeyCredential()
      await stage.put('credential', byCode(stage, carl.user, await codeOf(stage, carl), second))
      const { user: id, name } = carl
      await stage.put('confirmation', stage.confirming(stage.admin, { id, name }))
      const uuid = stage.credentialId(carl, 1)
      const path = `/auth/credentials/${nameOf('credential', uuid)}`
      const ids = { credentialUuid: uuid }
      await stage.put(
        'credentialStatus',
        stage.ask(carl, { method: 'DELETE', path, body: {}, ids }),
      )
      await stage.assign(stage.everything, carl)
      return stage.use(stage.transfer({ ...carl, by: second }, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'signs as a user who was deactivated',
    rule('author', 'the user is not active'),
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const wish = { method: 'PUT', path: `/auth/users/${carl.name}/deactivate`, body: {} }
      await stage.put('userStatus', stage.ask(stage.admin, { ...wish, ids: { userId: carl.user } }))
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'brings an archived user back',
    rule('users', 'the user is archived'),
    async ({ stage }) => {
      const gone = await stage.invite()
      const ids = { userId: gone.id }
      const away = { method: 'DELETE', path: `/auth/users/${gone.name}`, body: {}, ids }
      await stage.put('userStatus', stage.ask(stage.admin, away))
      const back = { method: 'PUT', path: `/auth/users/${gone.name}/activate`, body: {}, ids }
      return stage.propose('userStatus', stage.ask(stage.admin, back))
    },
  ),
  attack(
    'has the last member of the root quorum taken away',
    rule('users', 'the root quorum could not be reached without him'),
    ({ stage, machine }) => {
      const { user, name } = stage.admin
      const wish = { method: 'PUT', path: `/auth/users/${name}/deactivate`, body: {} }
      return stage.propose('userStatus', stage.ask(machine, { ...wish, ids: { userId: user } }))
    },
  ),
  attack(
    'has a service account deactivated as if it were a user',
    rule('users', 'the user is of another kind'),
    ({ stage, machine }) => {
      const wish = { method: 'PUT', path: `/auth/users/${machine.name}/deactivate`, body: {} }
      const ids = { userId: machine.user }
      return stage.propose('userStatus', stage.ask(stage.admin, { ...wish, ids }))
    },
  ),
]

/** `POST /auth/credentials/code`, in force. */
export async function codeOf(stage: Stage, by: Actor): Promise<Uint8Array> {
  const expiration = stage.world.now + 60_000
  const wish = { path: '/auth/credentials/code', body: { expiration } }
  const asked = await stage.put('credentialCode', stage.ask(by, wish))
  return requestOfEvidence(asked)
}

export function byCode(
  stage: Stage,
  user: Uint8Array,
  code: Uint8Array,
  device = newKeyCredential(),
) {
  const path = '/auth/credentials/code/verify'
  const subjects = [{ role: 'code', id: code }]
  return stage.completion({ purpose: 'add-credential', user, path, subjects }, (challenge) => ({
    ...device.create(challenge),
    credentialName: 'device',
    challengeIdentifier: 'x',
  }))
}

export function ending(id: Uint8Array) {
  const credentialUuid = nameOf('credential', id)
  return {
    ...{ method: 'PUT', path: '/auth/credentials/deactivate', body: { credentialUuid } },
    ids: { credentialUuid: id },
  }
}
