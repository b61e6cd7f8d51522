import { nameOf } from '@quorate/core/id'
import { encodeFacts } from '@quorate/effects/facts'
import { at, attack, rule, without, type Attack } from './attack.ts'
import type { Actor, Stage, Wallet } from './stage.ts'
import { fresh } from './stage.ts'
import { unauthorized } from './tokens.ts'

/** Whose a key is, and what becomes of keys. */

const anothers = without(rule('use', "the key is another user's"), [
  'refuse("the key is another user\'s")',
  '(undefined as never)',
])

export const owners: readonly Attack[] = [
  attack('has one customer pay with the wallet of another', anothers, ({ stage, ulf, hers }) =>
    stage.use(stage.transfer(ulf, hers), hers),
  ),
  attack(
    'has a customer pay with a wallet of the organization',
    rule('use', 'the key was not delegated'),
    ({ stage, ulla, wallet }) => stage.use(stage.transfer(ulla, wallet), wallet),
  ),
  attack(
    'has the organization pay with what it has given away',
    anothers,
    ({ stage, hers }) => stage.use(stage.transfer(stage.admin, hers), hers),
    { isVariant: true },
  ),
  attack(
    'uses a key that waits for its customer',
    rule('use', 'the key waits to be delegated'),
    ({ stage, promised }) => stage.use(stage.signature(stage.admin, promised), promised),
  ),
  attack(
    'gives a key away that was not made to be',
    rule('delegation', 'the key was not made to be delegated'),
    ({ stage, machine, raw, ulf }) =>
      stage.propose('delegation', delegating(stage, machine, raw, ulf)),
  ),
  attack(
    'gives a key away twice',
    rule('delegation', 'the key has been delegated'),
    async ({ stage, machine, ulla, ulf }) => {
      const key = await stage.createKey(machine, { delayDelegation: true })
      await stage.put('delegation', delegating(stage, machine, key, ulla))
      return stage.propose('delegation', delegating(stage, machine, key, ulf))
    },
  ),
  attack(
    'gives away what another service account has made',
    rule('delegation', 'another service account has made the key'),
    async ({ stage, promised, ulf }) => {
      const other = await stage.createServiceAccount(stage.everything)
      return stage.propose('delegation', delegating(stage, other, promised, ulf))
    },
  ),
  attack(
    'gives a key to an employee, whom no policy would hold',
    rule('ownership', 'keys are delegated to end users alone'),
    ({ stage, machine, promised, bob }) =>
      stage.propose('delegation', delegating(stage, machine, promised, bob)),
  ),
  attack(
    'gives a key to somebody who is not there',
    rule('ownership', 'the new owner is not active'),
    ({ stage, machine, promised }) => {
      const user = fresh()
      const nobody = { ...machine, user, name: nameOf('user', user) }
      const asked = delegating(stage, machine, promised, nobody)
      return stage.propose('delegation', asked)
    },
    { isVariant: false },
  ),
  attack(
    'has an employee make a key that can be given away later',
    rule('key', 'only a service account makes keys to be delegated later'),
    ({ stage }) => {
      const body = { scheme: 'EdDSA', curve: 'ed25519', delayDelegation: true }
      return stage.propose('key', stage.ask(stage.admin, { path: '/keys', body }))
    },
  ),
  attack(
    'has a customer give his key away',
    unauthorized,
    ({ stage, ulla, ulf }) => {
      const body = { scheme: 'EdDSA', curve: 'ed25519', delegateTo: ulf.name }
      const ids = { delegateTo: ulf.user }
      return stage.propose('key', stage.ask(ulla, { path: '/keys', body, ids }))
    },
    { isVariant: true },
  ),
  attack(
    'puts a key into force that not every signer has certified',
    rule('key', 'the key is not certified by every signer'),
    ({ stage, raw }) => {
      const body = { scheme: 'EdDSA', curve: 'ed25519' }
      const asked = stage.ask(stage.admin, { path: '/keys', body })
      const certificate = stage.certificateOf(raw)
      certificate.set(fresh(64), certificate.length - 64)
      return stage.propose('key', { ...asked, facts: certificate })
    },
  ),
  attack(
    'puts a key into force that was made for another request',
    rule('key', 'the certificate is of another key'),
    ({ stage, raw }) => {
      const body = { scheme: 'EdDSA', curve: 'ed25519' }
      const asked = stage.ask(stage.admin, { path: '/keys', body })
      return stage.propose('key', { ...asked, facts: stage.certificateOf(raw) })
    },
  ),
  attack(
    'signs with a key that was deleted',
    rule('use', 'the key is archived'),
    async ({ stage }) => {
      const key = await stage.createKey(stage.admin)
      const path = `/keys/${key.key.name}`
      const wish = { method: 'DELETE', path, body: {}, ids: { keyId: key.key.id } }
      await stage.put('keyStatus', stage.ask(stage.admin, wish))
      return stage.use(stage.signature(stage.admin, key), key)
    },
  ),
  attack(
    'writes the use of one key into the stream of another',
    rule('use', 'the use stands in the stream of another key'),
    ({ stage, wallet, hers }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, { place: stage.placeOf(hers) }),
  ),
  attack(
    'pays twice under one signature, at another nonce',
    rule('use', 'the request has been used'),
    async ({ stage, wallet }) => {
      const asked = stage.transfer(stage.admin, wallet)
      await stage.put('use', asked, stage.placeOf(wallet))
      const again = stage.transfer(stage.admin, wallet)
      return stage.use({ ...asked, facts: again.facts }, wallet)
    },
  ),
  attack(
    'renews a request with another nonce than was agreed',
    rule('use', 'a renewal signs what was agreed and nothing else'),
    async ({ stage, wallet }) => {
      const asked = stage.transfer(stage.admin, wallet)
      await stage.put('use', asked, stage.placeOf(wallet))
      const { facts } = stage.transfer(stage.admin, wallet)
      return renewing(stage, wallet, { ...asked, facts })
    },
  ),
  attack(
    'renews what was never agreed on',
    rule('use', 'there is nothing to renew'),
    ({ stage, wallet }) => renewing(stage, wallet, stage.transfer(stage.admin, wallet)),
  ),
  attack(
    'gives two payments one nonce of its choice',
    rule('use', 'the slot is taken by another request'),
    async ({ stage, wallet }) => {
      const first = stage.transfer(stage.admin, wallet)
      await stage.put('use', first, stage.placeOf(wallet))
      const second = stage.transfer(stage.admin, wallet)
      return stage.use({ ...second, facts: first.facts }, wallet)
    },
  ),
  attack(
    'has a message signed raw by the key of a wallet',
    without(at('policy/limits.ts', 'the key may not sign bytes whose effect is unknown'), [
      "deny('the key may not sign bytes whose effect is unknown')",
      'allow',
    ]),
    ({ stage, wallet }) =>
      stage.use(
        stage.ask(stage.admin, {
          path: `/keys/${wallet.key.name}/signatures`,
          body: { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` },
          ids: { keyId: wallet.key.id },
          facts: encodeFacts({ family: 'none' }),
        }),
        wallet,
      ),
  ),
]

function delegating(stage: Stage, by: Actor, { key }: Pick<Wallet, 'key'>, to: Actor) {
  return stage.ask(by, {
    path: `/keys/${key.name}/delegate`,
    body: { delegateTo: to.name },
    ids: { keyId: key.id, delegateTo: to.user },
  })
}

function renewing(stage: Stage, wallet: Wallet, evidence: ReturnType<Stage['transfer']>) {
  return stage.propose('renew', evidence, { place: stage.placeOf(wallet), key: wallet.key })
}
