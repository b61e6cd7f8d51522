import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import type { Key } from '@quorate/signer/testing/keys'
import { newPasskey, type Passkey } from '@quorate/authority/testing/passkey'
import { World } from '@quorate/signer/testing/world'
import { Stage, type Actor, type Made, type Wallet } from './stage.ts'

/** Everybody and everything that the attacks are about. */
export type Cast = {
  readonly stage: Stage
  /** May do everything, as the administrator may. */
  readonly machine: Actor
  /** An employee who may do a little, and has a way back. */
  readonly bob: Actor
  readonly bobsRecovery: KeyCredential
  readonly bobsPermission: Made
  /** Has the permission for everything and credentials that nobody has confirmed. */
  readonly eve: Actor
  /** May do everything, by a passkey. */
  readonly pia: Actor
  readonly piasPasskey: Passkey
  readonly ulla: Actor
  readonly ulf: Actor
  readonly wallet: Wallet
  /** Of the organization, and allowed to sign messages. */
  readonly raw: { readonly key: Key }
  /** Ulla's. */
  readonly hers: Wallet
  /** Waits to be delegated by the machine. */
  readonly promised: { readonly key: Key }
  /** Has children. */
  readonly master: { readonly key: Key }
  readonly child: { readonly key: Key }
  /** For the outputs of script trees. */
  readonly taproot: { readonly key: Key }
  /** Signs as itself alone. */
  readonly plain: { readonly key: Key }
  /** Signs nothing, and is multiplied with points. */
  readonly dh: { readonly key: Key }
}

export const bobsOperations = [
  ...['Wallets:Create', 'Wallets:Transfers:Create', 'Keys:Create', 'Keys:Signatures:Create'],
  ...['Auth:Pats:Create', 'Permissions:Assign'],
]

export const plainKey = { scheme: 'Schnorr', curve: 'secp256k1', untweaked: true }

export async function openCast(): Promise<Cast> {
  const world = new World()
  await world.found()
  const stage = new Stage(world)
  const machine = await stage.createServiceAccount(stage.everything)
  const bobsPermission = await stage.createPermission('Bob', bobsOperations)
  const bobsRecovery = newKeyCredential({ kind: 'RecoveryKey', algorithm: 'P-256' })
  const bob = await stage.newcomer(await stage.invite(), true, { recovery: bobsRecovery })
  await stage.assign(bobsPermission, bob)
  const eve = await stage.newcomer(await stage.invite(), false)
  await stage.assign(stage.everything, eve)
  await stage.settle({
    relyingParties: [{ id: 'example.test', origins: ['https://example.test'] }],
  })
  const piasPasskey = newPasskey()
  const pia = await stage.passkeyHolder(piasPasskey)
  const ulla = await stage.newcomer(await stage.registerEndUser(machine), true)
  const ulf = await stage.newcomer(await stage.registerEndUser(machine), true)
  await stage.pair()
  const ids = { delegateTo: ulla.user }
  const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1', masterKey: true }
  const master = await stage.createKey(stage.admin, ecdsa)
  return {
    ...{ stage, machine, bob, bobsRecovery, bobsPermission, eve, pia, piasPasskey, ulla, ulf },
    wallet: await stage.createWallet(stage.admin),
    raw: await stage.createKey(stage.admin),
    hers: await stage.createWallet(machine, { delegateTo: ulla.name }, ids),
    promised: await stage.createKey(machine, { delayDelegation: true }),
    master,
    child: await stage.deriveKey(stage.admin, master),
    taproot: await stage.createKey(stage.admin, { scheme: 'Schnorr', curve: 'secp256k1' }),
    plain: await stage.createKey(stage.admin, plainKey),
    dh: await stage.createKey(stage.admin, { scheme: 'DH', curve: 'secp256k1' }),
  }
}
