import { createECDH } from 'node:crypto'
import { decodeRecord, encodeRecord, keyTable, writtenHash } from '@quorate/authority/records'
import { keyStatementHash, readBirth } from '@quorate/authority/key-certificate'
import type { Item, Step } from '@quorate/authority/step'
import { exchangeShare, moveAsItIs, sealAnew, type Placing } from '@quorate/signer/testing/exchange'
import { generatePooled, type Key } from '@quorate/signer/testing/keys'
import { nameOf } from '@quorate/core/id'
import { at, attack, gone, rule, without, type Attack } from './attack.ts'
import type { Cast } from './cast.ts'
import { corrupt, forge } from './drive.ts'
import { agreed, inForce, signed } from './rounds.ts'
import { fresh, type Actor, type Deriving, type Stage } from './stage.ts'

/** Keys that follow from a master's by a public path: no signer is asked to make them. */

type Of = { readonly key: Key }
type Wanted = Deriving & { readonly by: Actor; readonly master: Of }

/** Asks for a child, and for its signature where there would be one. */
const deriving = (
  name: string,
  check: Attack['check'],
  ask: (cast: Cast) => Wanted | Promise<Wanted>,
  isVariant = false,
): Attack =>
  attack(
    name,
    check,
    async (cast) => {
      const { by, master, ...given } = await ask(cast)
      return cast.stage.propose('key', cast.stage.deriving(by, master, given))
    },
    { isVariant },
  )

const child = (reason: string, code?: string) => rule('child-key', reason, code)
const anothers = without(child("the key is another user's"), [
  'refuse("the key is another user\'s")',
  '(undefined as never)',
])
const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const

const levels = (code: string) =>
  at('authority/child-path.ts', 'has levels other than numbers from 0', code)

/** A customer who may make keys of keys. */
async function childMaker(stage: Stage, machine: Actor): Promise<Actor> {
  const uma = await stage.newcomer(await stage.registerEndUser(machine), true)
  const allowed = ['Keys:Create', 'Keys:ChildKeys:Create']
  await stage.assign(await stage.createPermission(`Children by ${uma.name}`, allowed), uma)
  return uma
}

const born: readonly Attack[] = [
  attack(
    'derives a key at another path than its user has signed',
    rule('author', 'the payload is not the one that was signed'),
    ({ stage, master }) => {
      const asked = stage.deriving(stage.admin, master, { path: 'm/1000' })
      const payload = asked.payload.replace('m/1000', 'm/1001')
      return stage.propose('key', { ...asked, payload })
    },
    { isVariant: true },
  ),
  attack(
    'derives a key of another master than its user has signed',
    rule(
      'author',
      'the subject deriveFrom.keyId is not the one that is named',
      'the subject ${role} is not the one that is named',
    ),
    async ({ stage, master }) => {
      const other = await stage.createKey(stage.admin, { ...ecdsa, masterKey: true })
      const ids = { 'deriveFrom.keyId': other.key.id }
      return stage.propose('key', stage.deriving(stage.admin, master, { ids }))
    },
    { isVariant: true },
  ),
  deriving(
    'derives a key of a master that another organization has',
    gone(
      rule(
        'key',
        'there is no such key',
        "if (master === undefined) return refuse('there is no such key')",
      ),
    ),
    ({ stage, master }) => {
      const id = fresh()
      return { by: stage.admin, master: { key: { ...master.key, id, name: nameOf('key', id) } } }
    },
  ),
  deriving(
    'derives a key of the organization from the master of a customer',
    anothers,
    async ({ stage, machine, ulla }) => ({
      by: stage.admin,
      master: await stage.createKey(
        machine,
        { ...ecdsa, masterKey: true, delegateTo: ulla.name },
        { delegateTo: ulla.user },
      ),
    }),
  ),
  deriving(
    'has a customer derive from the master of the organization',
    rule('ownership', 'the key was not delegated'),
    async ({ stage, machine, master }) => ({ by: await childMaker(stage, machine), master }),
    true,
  ),
  deriving(
    'derives from a master that waits for its customer',
    child('the key waits to be delegated'),
    async ({ stage, machine }) => ({
      by: stage.admin,
      master: await stage.createKey(machine, { ...ecdsa, masterKey: true, delayDelegation: true }),
    }),
  ),
  deriving(
    'derives a second key at a path that has one',
    child('there is a key at this path'),
    ({ stage, master }) => ({ by: stage.admin, master, path: 'm/0' }),
  ),
  deriving(
    'derives from a key whose shares nobody has meant for that',
    child('the key is no master key'),
    async ({ stage }) => ({ by: stage.admin, master: await stage.createKey(stage.admin, ecdsa) }),
  ),
  deriving(
    'derives a key that signs by another scheme than its master',
    child('a derived key has the scheme and curve of its master'),
    ({ stage, master }) => ({ by: stage.admin, master, body: { scheme: 'Schnorr' } }),
  ),
  deriving(
    'derives a master from a master, for two ways to one key',
    rule('key', 'a derived key is no master key'),
    ({ stage, master }) => ({ by: stage.admin, master, body: { masterKey: true } }),
  ),
  deriving(
    'derives at a path that takes the private key',
    without(child('is hardened', 'refuse(`the path ${read.reason}`)'), [
      'refuse(`the path ${read.reason}`)',
      '[0, 0]',
    ]),
    ({ stage, master }) => ({ by: stage.admin, master, path: "m/44'/0" }),
  ),
  deriving(
    'derives at an index that takes the private key, written as a number',
    without(levels(' && path.every((index) => index <= childIndexMax)'), [
      ' && path.every((index) => index <= childIndexMax)',
      '',
    ]),
    ({ stage, master }) => ({ by: stage.admin, master, path: `m/${2 ** 31}` }),
  ),
  deriving(
    'derives a key at a path in a second spelling',
    without(levels('indexForm.test(level) ? Number(level) : undefined'), [
      'indexForm.test(level) ? Number(level) : undefined',
      'Number(level)',
    ]),
    ({ stage, master }) => ({ by: stage.admin, master, path: 'm/0901' }),
  ),
  deriving(
    'derives from a master that was deleted',
    rule('ownership', 'the key is archived'),
    async ({ stage }) => {
      const [master] = await masters(stage)
      const wish = { method: 'DELETE', path: `/keys/${master.key.name}`, body: {} }
      const ids = { keyId: master.key.id }
      await stage.put('keyStatus', stage.ask(stage.admin, { ...wish, ids }))
      return { by: stage.admin, master }
    },
  ),
  deriving(
    'has one customer derive from the master of another',
    rule('ownership', "the key is another user's"),
    async ({ stage, machine, ulla }) => {
      const body = { ...ecdsa, masterKey: true, delegateTo: ulla.name }
      const master = await stage.createKey(machine, body, { delegateTo: ulla.user })
      return { by: await childMaker(stage, machine), master }
    },
    true,
  ),
  attack(
    'has a master born of a scheme from which nothing is derived',
    rule('key', 'no keys are derived from such a key'),
    async ({ stage }) => {
      const pair = { scheme: 'EdDSA', curve: 'ed25519' } as const
      const facts = await generatePooled(stage.world, pair)
      const wish = { path: '/keys', body: { ...pair, masterKey: true } }
      return stage.propose('key', { ...stage.ask(stage.admin, wish), facts })
    },
  ),
  attack(
    'puts a wallet on a key that is there and on one that is derived, whichever suits it',
    without(rule('key', 'the key is there or derived, and not both'), [
      "from === undefined ? undefined : refuse('the key is there or derived, and not both')",
      'undefined',
    ]),
    ({ stage, master }) => {
      const { id, name } = master.key
      const signingKey = { id: name, deriveFrom: { keyId: name } }
      const ids = { 'signingKey.id': id, 'signingKey.deriveFrom.keyId': id }
      const wish = { path: '/wallets', body: { network: 'KeyECDSA', signingKey }, ids }
      return stage.propose('wallet', stage.ask(stage.admin, wish))
    },
  ),
  deriving(
    'derives from a master that somebody has frozen',
    child('the master key is frozen'),
    async ({ stage }) => {
      const [master] = await masters(stage)
      await freeze(stage, master)
      return { by: stage.admin, master }
    },
  ),
]

/** One level deeper, as if that had been asked for. */
function moved(item: Item): Item {
  const { operation } = item
  if (operation.kind !== 'key' || operation.key.derivation === undefined) return item
  const { derivation } = operation.key
  const path = [...derivation.path, 0]
  return {
    ...item,
    operation: { ...operation, key: { ...operation.key, derivation: { ...derivation, path } } },
  }
}

/** The record of a key, with the public key of somebody else in it. */
function ownKey(record: Uint8Array): Uint8Array {
  const publicKey = somePoint()
  return encodeRecord(keyTable, { ...decodeRecord(keyTable, record), publicKey })
}

const entered: readonly Attack[] = [
  attack(
    'enters a child with a certificate of its own making, for a key that is not the master’s',
    child('a derived key rests on no certificate of its own'),
    ({ stage, master }) => {
      const asked = stage.deriving(stage.admin, master)
      return stage.propose('key', { ...asked, facts: stage.certificateOf(master) })
    },
  ),
  attack(
    'enters a child at another path than the rules come to',
    rule('item', 'the item does something else than was asked for'),
    ({ stage, master }) =>
      stage.propose('key', stage.deriving(stage.admin, master), { item: (item) => moved(item) }),
    { isVariant: true },
  ),
  attack(
    'enters a child under a public key of its own',
    rule(
      'step',
      'the step changes other records than it says',
      "isWritten ? made : { ok: false, reason: 'the step changes other records than it says' }",
    ),
    ({ stage, master }) => {
      const { world } = stage
      const evidence = stage.deriving(stage.admin, master)
      const forging = { place: world.root, asked: [{ kind: 'key', evidence }] } as const
      const writes = forge(world, forging).writes.map(({ key, value }) =>
        key.startsWith(`${keyTable.prefix}/`) ? { key, value: ownKey(value) } : { key, value },
      )
      const change = (step: Step) => ({ ...step, written: writtenHash(writes) })
      return stage.propose('key', evidence, { change })
    },
    { isVariant: true },
  ),
]

function somePoint(): Uint8Array {
  const point = createECDH('secp256k1')
  point.generateKeys()
  return new Uint8Array(point.getPublicKey(null, 'compressed'))
}

const hashed = (stage: Stage, of: Of) =>
  stage.signature(stage.admin, of, {
    body: { kind: 'Hash', hash: `0x${Buffer.from(fresh()).toString('hex')}` },
  })

const noShare = 'no share of this key is in force here'

const used: readonly Attack[] = [
  attack(
    'signs with a child while its master is frozen',
    rule('ownership', 'the master key is frozen'),
    async ({ stage }) => {
      const [master] = await masters(stage)
      const derived = await stage.deriveKey(stage.admin, master)
      await freeze(stage, master)
      return stage.use(hashed(stage, derived), derived)
    },
  ),
  attack(
    'has a child sign what was agreed for its master',
    rule('use', 'the use stands in the stream of another key'),
    ({ stage, master, child: derived }) =>
      stage.use(hashed(stage, master), derived, { place: stage.placeOf(derived) }),
    { isVariant: true },
  ),
  attack(
    'puts the share of one master into the place of another’s, on the disks of signers',
    without(at('signer/share.ts', noShare, 'encode(owner, { ...of, epoch: firstEpoch })'), [
      'encode(owner, { ...of, epoch: firstEpoch })',
      'Uint8Array.of(of.signer)',
    ]),
    async ({ stage }) => {
      const [mine, theirs] = await masters(stage)
      for (const index of [1, corrupt]) exchange(stage, index, mine, theirs, moveAsItIs)
      return signed(stage, await inForce(stage, hashed(stage, mine), mine))
    },
    agreed,
  ),
  attack(
    'has signers derive from the share of another master, which their own key has sealed',
    without(
      at(
        'signer/ceremonies/sign.ts',
        noShare,
        'derived !== undefined && equalBytes(derived.publicKey, key.publicKey) ? derived : undefined',
      ),
      [' && equalBytes(derived.publicKey, key.publicKey)', ''],
    ),
    async ({ stage }) => {
      const [mine, theirs] = await masters(stage)
      const derived = await stage.deriveKey(stage.admin, mine)
      for (const index of [1, corrupt]) exchange(stage, index, mine, theirs, sealAnew)
      return signed(stage, await inForce(stage, hashed(stage, derived), derived))
    },
    agreed,
  ),
]

async function masters(stage: Stage): Promise<readonly [Of, Of]> {
  const make = () => stage.createKey(stage.admin, { ...ecdsa, masterKey: true })
  return [await make(), await make()]
}

async function freeze(stage: Stage, { key }: Of): Promise<void> {
  const wish = { path: '/orgs/freezes', body: { keyId: key.name }, ids: { keyId: key.id } }
  await stage.put('freeze', stage.ask(stage.admin, wish))
}

/** While the signer is down: its file is written to by somebody else. */
function exchange(stage: Stage, signer: number, mine: Of, theirs: Of, placing: Placing): void {
  const { world, organization } = stage
  const { kek, file } = world.member(signer)
  world.leave(signer)
  const place = ({ key }: Of) => {
    const statement = keyStatementHash(readBirth(stage.certificateOf({ key })).signed)
    return { signer, organization, key: key.id, owner: undefined, statement }
  }
  exchangeShare({ file, kek }, { from: place(theirs), into: place(mine) }, placing)
  world.open(signer, { kek, file })
}

export const children: readonly Attack[] = [...born, ...entered, ...used]
