import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { makePerson } from '@quorate/authority/testing/world'
import { challengeOf } from '@quorate/authority/request'
import { rootOf } from '@quorate/authority/stream'
import { idOf, nameOf } from '@quorate/core/id'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { genesisRequest } from '@quorate/signer/testing/requests'
import { attack, rule, without, type Attack } from './attack.ts'
import { drive, forgeTogether } from './drive.ts'
import { byCode, codeOf } from './people.ts'
import { personWith, recovering } from './recovery.ts'
import { fresh, made, signedBy, type Actor, type Stage } from './stage.ts'

/** What begins, comes back or goes on when it should not: organizations, keys, users who are frozen. */

const born: readonly Attack[] = [
  attack(
    'founds an organization that trusts signers of its own',
    rule('genesis', 'the genesis trusts another cluster'),
    ({ stage }) => founding(stage, fresh()),
  ),
  attack(
    'founds an organization in the name of a key that is not its own',
    rule('genesis', 'the signature is not valid'),
    ({ stage }) => founding(stage, stage.world.cluster.manifest.hash, true),
  ),
  attack(
    'puts a wallet on a key of the organization, as one of its customers',
    rule('ownership', 'the key was not delegated'),
    async ({ stage, machine, wallet }) => {
      const uma = await joiner(stage, machine)
      return stage.propose('wallet', joining(stage, uma, wallet.key))
    },
  ),
  attack(
    'puts a wallet on a key of one customer, as another',
    without(rule('ownership', "the key is another user's"), [
      'refuse("the key is another user\'s")',
      '(undefined as never)',
    ]),
    async ({ stage, machine, ulla }) => {
      const body = { scheme: 'ECDSA', curve: 'secp256k1', delegateTo: ulla.name }
      const { key } = await stage.createKey(machine, body, { delegateTo: ulla.user })
      return stage.propose('wallet', joining(stage, await joiner(stage, machine), key))
    },
  ),
  attack(
    'puts two networks on one key, whose signatures could be taken for each other’s',
    rule('key', 'the signatures of these networks cannot be told apart'),
    ({ stage, wallet }) => stage.propose('wallet', joining(stage, stage.admin, wallet.key)),
  ),
  attack(
    'pays twice under one signature, within one step',
    without(
      rule(
        'step',
        'the request has been used',
        '? writes.findLast((write) => write.key === key)?.value',
      ),
      ['writes.findLast((write) => write.key === key)?.value', 'undefined'],
    ),
    async ({ stage, wallet }) => {
      const { world } = stage
      const place = stage.placeOf(wallet)
      const first = stage.transfer(stage.admin, wallet)
      const second = { ...first, facts: stage.transfer(stage.admin, wallet).facts }
      const asked = [first, second].map((evidence) => ({ kind: 'use', evidence }) as const)
      const drafted = forgeTogether(world, { place, asked })
      return drive(world, { place, drafted, key: wallet.key })
    },
  ),
]

function founding(stage: Stage, manifest: Uint8Array, isForged = false) {
  const { evidence: asked } = genesisRequest(manifest, stage.world.now)
  const evidence = isForged ? signedBy(makePerson(), asked) : asked
  const organization = idOf(requestOfEvidence(evidence), 'organization')
  return stage.propose('genesis', evidence, {
    place: { organization, stream: rootOf(organization) },
  })
}

/** A customer who may put wallets on keys. */
async function joiner(stage: Stage, machine: Actor): Promise<Actor> {
  const uma = await stage.newcomer(await stage.registerEndUser(machine), true)
  const allowed = ['Wallets:Create', 'Keys:Reuse']
  await stage.assign(await stage.createPermission(`Wallets by ${uma.name}`, allowed), uma)
  return uma
}

function joining(stage: Stage, by: Stage['admin'], key: { id: Uint8Array; name: string }) {
  const body = { network: 'KeyECDSA', signingKey: { id: key.name } }
  return stage.ask(by, { path: '/wallets', body, ids: { 'signingKey.id': key.id } })
}

const back: readonly Attack[] = [
  attack(
    'switches a credential on again that a recovery has ended',
    rule('credentials', 'the credential is from before or after a recovery'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      const old = stage.credentialId(carl)
      const brought = newKeyCredential()
      const given = { named: carl.recoveryId, brought }
      await stage.put('recovery', recovering(stage, carl, carl.recovery, given))
      const credentialUuid = nameOf('credential', old)
      const wish = { method: 'PUT', path: '/auth/credentials/activate', body: { credentialUuid } }
      const asked = stage.ask({ ...carl, by: brought }, { ...wish, ids: { credentialUuid: old } })
      return stage.propose('credentialStatus', asked)
    },
  ),
  attack(
    'uses the attestation of one credential for a second request',
    rule('credentials', 'the challenge of the attestation has been used'),
    async ({ stage, bob }) => {
      const change = {
        purpose: 'add-credential',
        path: '/auth/credentials',
        user: bob.user,
      } as const
      const facts = stage.challenge(change)
      const body = { ...newKeyCredential().create(challengeOf(facts)), credentialName: 'x' }
      const asking = () => stage.ask(bob, { path: '/auth/credentials', body, facts })
      await stage.put('credential', asking())
      return stage.propose('credential', asking())
    },
  ),
  attack(
    'makes a token of a key that is a credential already, to take its place',
    rule('tokens', 'the credential exists already'),
    ({ stage, bob }) => {
      const body = { name: 'pat', publicKey: bob.by.pem }
      return stage.propose('token', stage.ask(bob, { path: '/auth/pats', body }))
    },
  ),
  attack(
    'switches on a token that was archived',
    rule('tokens', 'the token is archived'),
    async ({ stage, bob }) => {
      const pat = await stage.createPat(bob)
      const id = pat.token?.id ?? fresh()
      const path = `/auth/pats/${nameOf('token', id)}`
      const wish = { body: {}, ids: { tokenId: id } }
      await stage.put('tokenStatus', stage.ask(bob, { ...wish, method: 'DELETE', path }))
      const again = { ...wish, method: 'PUT', path: `${path}/activate` }
      return stage.propose('tokenStatus', stage.ask(bob, again))
    },
  ),
]

/** Somebody invited, whom the administrator has frozen. */
async function frozen(stage: Stage, user: { readonly id: Uint8Array; readonly name: string }) {
  const wish = { path: '/orgs/freezes', body: { userId: user.name }, ids: { userId: user.id } }
  await stage.put('freeze', stage.ask(stage.admin, wish))
}

const halted: readonly Attack[] = [
  attack(
    'registers a user who is frozen',
    rule('registration', 'the user is frozen'),
    async ({ stage }) => {
      const invited = await stage.invite()
      await frozen(stage, invited)
      const asked = stage.registering(invited.id, newKeyCredential())
      return stage.propose('registration', asked)
    },
  ),
  attack(
    'brings a device by a code for a user who was frozen since',
    rule('credentials', 'the user is frozen'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const code = await codeOf(stage, carl)
      await frozen(stage, { id: carl.user, name: carl.name })
      return stage.propose('credential', byCode(stage, carl.user, code))
    },
  ),
  attack(
    'recovers a user who is frozen',
    rule('recovery', 'the user is frozen'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      await frozen(stage, { id: carl.user, name: carl.name })
      const given = { named: carl.recoveryId }
      return stage.propose('recovery', recovering(stage, carl, carl.recovery, given))
    },
  ),
  attack(
    'registers somebody while the whole organization is frozen',
    rule('completion', 'the organization is frozen'),
    async ({ stage }) => {
      const invited = await stage.invite()
      const wish = { path: '/orgs/freezes', body: {} }
      const freeze = made(await stage.put('freeze', stage.ask(stage.admin, wish)), 'freeze')
      const outcome = await stage.propose(
        'registration',
        stage.registering(invited.id, newKeyCredential()),
      )
      const lifting = { method: 'DELETE', path: `/orgs/freezes/${freeze.name}`, body: {} }
      await stage.put(
        'freeze',
        stage.ask(stage.admin, { ...lifting, ids: { freezeId: freeze.id } }),
      )
      return outcome
    },
  ),
  attack(
    'lets the pages of another domain use the passkeys of the organization',
    without(rule('settings-body', 'is no origin of', '${origin} is no origin of ${id}'), [
      'refuse(`${origin} is no origin of ${id}`)',
      '(undefined as never)',
    ]),
    ({ stage }) => {
      const relyingParties = [{ id: 'example.test', origins: ['https://evil.test'] }]
      const wish = { method: 'PUT', path: '/orgs/settings', body: { settings: { relyingParties } } }
      return stage.propose('settings', stage.ask(stage.admin, wish))
    },
  ),
]

export const beginnings: readonly Attack[] = [...born, ...back, ...halted]
