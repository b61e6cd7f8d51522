import type { WholeEvidence } from '@quorate/authority/step'
import { generatePooled } from '@quorate/signer/testing/keys'

import { at, attack, gone, rule, without, type Attack } from './attack.ts'
import { plainKey, type Cast } from './cast.ts'
import { forge } from './drive.ts'
import { agreed, sealed, signed } from './rounds.ts'
import { fresh, type Stage } from './stage.ts'

/** Keys of one scheme made to serve another: Diffie and Hellman's, and those of script trees. */

const planned = (reason: string, code: string) => at('effects/plan.ts', reason, code)
const oneOrOther = 'DH keys derive and do nothing else, and no others do'

const derivations: readonly Attack[] = [
  attack(
    'asks a key that signs for its multiple of a point',
    without(planned(oneOrOther, " && scheme === 'DH') return"), [
      " && scheme === 'DH') return",
      ') return',
    ]),
    ({ stage, master }) => stage.use(stage.derivation(stage.admin, master), master),
  ),
  attack(
    'asks a key of a script tree for its multiple of a point',
    planned(oneOrOther, " && scheme === 'DH') return"),
    ({ stage, taproot }) => stage.use(stage.derivation(stage.admin, taproot), taproot),
    { isVariant: true },
  ),
  attack(
    'has a key sign that is multiplied with points',
    without(planned(oneOrOther, " || scheme === 'DH')"), [" || scheme === 'DH')", ')']),
    ({ stage, dh }) => stage.use(hashing(stage, dh), dh),
  ),
  attack(
    'has one customer derive with the key of another',
    rule('use', "the key is another user's"),
    async ({ stage, machine, ulla }) => {
      const uma = await stage.newcomer(await stage.registerEndUser(machine), true)
      await stage.assign(await stage.createPermission('Derivations', ['Keys:Derive']), uma)
      const body = { ...dhKey, delegateTo: ulla.name }
      const key = await stage.createKey(machine, body, { delegateTo: ulla.user })
      return stage.use(stage.derivation(uma, key), key)
    },
    { isVariant: true },
  ),
  attack(
    'derives with a key that was deleted',
    rule('use', 'the key is archived'),
    async ({ stage }) => {
      const key = await stage.createKey(stage.admin, dhKey)
      const wish = { method: 'DELETE', path: `/keys/${key.key.name}`, body: {} }
      await stage.put('keyStatus', stage.ask(stage.admin, { ...wish, ids: { keyId: key.key.id } }))
      return stage.use(stage.derivation(stage.admin, key), key)
    },
    { isVariant: true },
  ),
  attack(
    'derives with a key that somebody has frozen',
    rule('ownership', 'the key is frozen'),
    async ({ stage }) => {
      const key = await stage.createKey(stage.admin, dhKey)
      const wish = { path: '/orgs/freezes', body: { keyId: key.key.name } }
      await stage.put('freeze', stage.ask(stage.admin, { ...wish, ids: { keyId: key.key.id } }))
      return stage.use(stage.derivation(stage.admin, key), key)
    },
    { isVariant: true },
  ),
  attack(
    'derives for another seed than was signed',
    rule('author', 'the payload is not the one that was signed'),
    ({ stage, dh }) => {
      const asked = stage.derivation(stage.admin, dh)
      const { seed } = JSON.parse(asked.payload) as { seed: string }
      const payload = asked.payload.replace(seed, `0x${'ee'.repeat(32)}`)
      return stage.use({ ...asked, payload }, dh)
    },
    { isVariant: true },
  ),
  attack(
    'asks for a part of a derivation that is sealed and not yet in force',
    gone(
      at(
        'signer/ceremonies/derivation.ts',
        'the step is sealed here',
        'if (refused !== undefined) return end(refused)',
      ),
    ),
    async ({ stage, dh }) => {
      const place = stage.placeOf(dh)
      const evidence = stage.derivation(stage.admin, dh)
      const drafted = forge(stage.world, { place, asked: [{ kind: 'use', evidence }] })
      await sealed(stage, place, drafted)
      const outcome = await signed(stage, { place, drafted, key: dh.key })
      await stage.world.certify(place, drafted)
      return outcome
    },
    agreed,
  ),
]

const dhKey = { scheme: 'DH', curve: 'secp256k1' } as const

function hashing(stage: Stage, { key }: Pick<Cast, 'dh'>['dh'], more: object = {}): WholeEvidence {
  const hash = `0x${Buffer.from(fresh()).toString('hex')}`
  return stage.signature(stage.admin, { key }, { body: { kind: 'Hash', hash, ...more } })
}

const noRoot = 'a Schnorr key signs with a taprootMerkleRoot'
const noTree = 'an untweaked key signs without a taprootMerkleRoot'

const trees: readonly Attack[] = [
  attack(
    'has a key of a script tree sign as itself, as if nothing hung on it',
    without(planned(noRoot, noRoot), [
      'if (!untweaked && merkleRoot === undefined)',
      'if (ask === undefined)',
    ]),
    ({ stage, taproot }) => stage.use(hashing(stage, taproot), taproot),
  ),
  attack(
    'has a key that signs as itself sign for a script tree',
    without(planned(noTree, noTree), [
      'if (untweaked && merkleRoot !== undefined)',
      'if (ask === undefined)',
    ]),
    ({ stage, plain }) =>
      stage.use(hashing(stage, plain, { taprootMerkleRoot: `0x${'11'.repeat(32)}` }), plain),
  ),
  attack(
    'has a key that signs as itself sign for the output without scripts',
    planned(noTree, noTree),
    ({ stage, plain }) => stage.use(hashing(stage, plain, { taprootMerkleRoot: '' }), plain),
    { isVariant: true },
  ),
  attack(
    'has a key of another scheme made that signs as itself',
    rule('key', 'only Schnorr keys are tweaked or not'),
    async ({ stage }) => {
      const pair = { scheme: 'ECDSA', curve: 'secp256k1' } as const
      const facts = await generatePooled(stage.world, pair)
      const wish = { path: '/keys', body: { ...plainKey, ...pair } }
      return stage.propose('key', { ...stage.ask(stage.admin, wish), facts })
    },
  ),
  attack(
    'has a key that signs as itself rest on one of the pool, whose certificate says nothing of it',
    rule('pool', 'an untweaked key is born for its request'),
    async ({ stage }) => {
      const facts = await generatePooled(stage.world, { scheme: 'Schnorr', curve: 'secp256k1' })
      const asked = stage.ask(stage.admin, { path: '/keys', body: plainKey })
      return stage.propose('key', { ...asked, facts })
    },
  ),
  attack(
    'derives a key for script trees from one that signs as itself',
    rule('child-key', 'a derived key is tweaked or not as its master is'),
    async ({ stage }) => {
      const master = await stage.createKey(stage.admin, { ...plainKey, masterKey: true })
      return stage.propose('key', stage.deriving(stage.admin, master))
    },
  ),
  attack(
    'swaps the script tree behind a signed request',
    rule('author', 'the payload is not the one that was signed'),
    ({ stage, taproot }) => {
      const asked = hashing(stage, taproot, { taprootMerkleRoot: `0x${'11'.repeat(32)}` })
      const payload = asked.payload.replace('11'.repeat(32), '22'.repeat(32))
      return stage.use({ ...asked, payload }, taproot)
    },
    { isVariant: true },
  ),
  attack(
    'takes the script tree out of a signed request',
    rule('author', 'the payload is not the one that was signed'),
    ({ stage, taproot }) => {
      const asked = hashing(stage, taproot, { taprootMerkleRoot: `0x${'11'.repeat(32)}` })
      const payload = asked.payload.replace('11'.repeat(32), '')
      return stage.use({ ...asked, payload }, taproot)
    },
    { isVariant: true },
  ),
  attack(
    'brings a root of another length, which hashes as something else',
    without(
      at(
        'effects/intent.ts',
        'taprootMerkleRoot is neither empty nor 32 bytes',
        'if (merkleRoot.length !== 0 && merkleRoot.length !== 32)',
      ),
      ['if (merkleRoot.length !== 0 && merkleRoot.length !== 32)', 'if (merkleRoot.length > 32)'],
    ),
    ({ stage, taproot }) =>
      stage.use(hashing(stage, taproot, { taprootMerkleRoot: `0x${'11'.repeat(31)}` }), taproot),
  ),
  attack(
    'names a script tree for a key that has none',
    without(
      planned(
        'only Schnorr keys have a taprootMerkleRoot',
        "if (ask.kind === 'Hash' && ask.merkleRoot !== undefined)",
      ),
      ["if (ask.kind === 'Hash' && ask.merkleRoot !== undefined)", 'if (ask === undefined)'],
    ),
    ({ stage, master }) => stage.use(hashing(stage, master, { taprootMerkleRoot: '0x' }), master),
  ),
]

export const schemes: readonly Attack[] = [...derivations, ...trees]
