import {
  encodePooledStatement,
  pooledMs,
  sealKeyCertificate,
  type PooledTerms,
} from '@quorate/authority/key-certificate'
import { skewMsMax } from '@quorate/authority/step'
import type { SessionCall } from '@quorate/wire/link'
import { everybody, generatePooled, poolCall, told } from '@quorate/signer/testing/keys'
import { makeCluster, signAs, type Cluster } from '@quorate/signer/testing/cluster'
import { at, attack, gone, rule, without, type Attack, type Check } from './attack.ts'
import { corrupt, drive, forgeTogether, honest, watched } from './drive.ts'
import { fresh, type Actor, type Stage } from './stage.ts'

/** Keys that were born before anybody asked for them: the server says which of them somebody gets. */

const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const
const eddsa = { scheme: 'EdDSA', curve: 'ed25519' } as const

const isCertified = (code: string) =>
  at('authority/key-certificate.ts', 'the key is not certified by every signer', code)
const born = (reason: string, code: string, space = ' ') =>
  gone(at('signer/ceremonies/pool.ts', reason, code), `${space}return refused('${reason}')`)

/** Asks each honest signer to begin with a key that nobody has asked for. */
const bearing = (
  name: string,
  check: Check,
  change: (call: ReturnType<typeof poolCall>) => SessionCall,
): Attack =>
  attack(name, check, ({ stage: { world } }) =>
    watched(world, async () => {
      const call = change(poolCall(world, eddsa))
      const replies = [...(await everybody(world, (index) => world.session(index, call), honest))]
      const refusals = replies.flatMap(([, reply]) => ('reason' in reply ? [told(reply)] : []))
      const begun = replies.length - refusals.length
      return { refusals, votes: begun, seals: 0, lastRounds: 0, isSigned: false }
    }),
  )

export const pools: readonly Attack[] = [
  attack(
    'binds one key of the pool to two owners',
    rule('pool', 'the pooled key is bound already'),
    async ({ stage, ulla, ulf }) => {
      const facts = await generatePooled(stage.world, ecdsa)
      await stage.put('wallet', { ...asking(stage, ulla), facts })
      return stage.propose('wallet', { ...asking(stage, ulf), facts })
    },
  ),
  attack(
    'has a wallet rest on a pooled key of another kind',
    rule('pool', 'the pooled key is of another kind'),
    async ({ stage }) => {
      const facts = await generatePooled(stage.world, eddsa)
      return stage.propose('wallet', { ...asking(stage), facts })
    },
  ),
  attack(
    'has a wallet rest on a pooled key of its own making',
    rule('key', 'the key is not certified by every signer'),
    ({ stage }) => stage.propose('wallet', { ...asking(stage), facts: certified(stage) }),
    { isVariant: true },
  ),
  attack(
    'binds a pooled key to two wallets within one step',
    rule('pool', 'the pooled key is bound already'),
    async ({ stage }) => {
      const facts = await generatePooled(stage.world, ecdsa)
      const asked = [asking(stage), asking(stage)].map(
        (evidence) => ({ kind: 'wallet', evidence: { ...evidence, facts } }) as const,
      )
      const drafted = forgeTogether(stage.world, { place: stage.world.root, asked })
      return drive(stage.world, { place: stage.world.root, drafted })
    },
    { isVariant: true },
  ),
  attack(
    'binds a key of the pool that its signers may have forgotten',
    rule('pool', 'the pooled key has waited too long'),
    ({ stage }) => {
      const terms = { bindBefore: stage.world.now - 1 }
      return stage.propose('wallet', {
        ...asking(stage),
        facts: certified(stage, { terms, by: stage.world.cluster }),
      })
    },
  ),
  attack(
    'binds a key that was born for the pool of another organization',
    without(rule('pool', "the pooled key is another organization's"), [
      'refuse("the pooled key is another organization\'s")',
      '(undefined as never)',
    ]),
    ({ stage }) => {
      const terms = { organization: fresh() }
      return stage.propose('wallet', {
        ...asking(stage),
        facts: certified(stage, { terms, by: stage.world.cluster }),
      })
    },
  ),
  attack(
    'binds a key of the pool as a master, of which nobody has said so at its birth',
    rule('pool', 'a master key is born for its request'),
    async ({ stage }) => {
      const facts = await generatePooled(stage.world, ecdsa)
      const wish = { path: '/keys', body: { ...ecdsa, masterKey: true } }
      return stage.propose('key', { ...stage.ask(stage.admin, wish), facts })
    },
  ),
  attack(
    'binds a pooled key of another cluster, which has taken on the name of this one',
    without(isCertified('verifyEd25519(identity, signed, signatures[i] ?? new Uint8Array())'), [
      'verifyEd25519(identity, signed, signatures[i] ?? new Uint8Array())',
      'identity.length > i',
    ]),
    ({ stage }) => {
      const facts = certified(stage, { by: makeCluster() })
      return stage.propose('wallet', { ...asking(stage), facts })
    },
  ),
  attack(
    'binds a pooled key that the same signers have made in another epoch',
    without(isCertified('!equalBytes(said.manifest, manifest.hash) || '), [
      '!equalBytes(said.manifest, manifest.hash) || ',
      '',
    ]),
    ({ stage }) => {
      const facts = certified(stage, { by: stage.world.cluster, manifest: fresh() })
      return stage.propose('wallet', { ...asking(stage), facts })
    },
  ),
  attack(
    'binds a key that fewer signers hold than have certified it',
    gone(isCertified(' || said.publicShares.length !== n')),
    ({ stage }) => {
      const publicShares = [fresh(33), fresh(33)]
      const facts = certified(stage, { by: stage.world.cluster, publicShares })
      return stage.propose('wallet', { ...asking(stage), facts })
    },
  ),
  bearing(
    'has a key born for the pool that nobody asks for now',
    born('it was not asked for now', 'if (Math.abs(now.time - time) > skewMsMax)'),
    (call) => ({ ...call, time: call.time + skewMsMax + 1 }),
  ),
  bearing(
    'has a key born for the pool of an organization that is not there',
    born(
      'there is no such organization',
      'if (store.log.newestSeq({ organization, stream: rootOf(organization) }) < 0)',
      '\n    ',
    ),
    (call) => ({ ...call, organization: fresh() }),
  ),
  bearing(
    'has a key born for the pool of a scheme that its curve does not have',
    born('the scheme and curve do not go together', 'if (!isKind({ scheme, curve }))'),
    (call) => ({ ...call, scheme: 'EdDSA', curve: 'secp256k1' }),
  ),
]

/** A wallet of the organization's own, or of one of its customers. */
function asking(stage: Stage, owner?: Actor) {
  const body = { network: 'EthereumSepolia', ...(owner && { delegateTo: owner.name }) }
  const ids = owner && { delegateTo: owner.user }
  return stage.ask(stage.admin, { path: '/wallets', body, ...(ids && { ids }) })
}

type Forged = {
  /** Whoever has signed it; the corrupt signer alone where nobody is named. */
  readonly by?: Cluster
  readonly terms?: Partial<PooledTerms>
  readonly manifest?: Uint8Array
  readonly publicShares?: readonly Uint8Array[]
}

/** Of a key whose secret the attacker may well know. */
function certified({ world }: Stage, { by, terms, ...made }: Forged = {}): Uint8Array {
  const { manifest } = world.cluster
  const publicKey = fresh(33)
  const signed = encodePooledStatement({
    terms: {
      ...{ organization: world.organization, ...ecdsa, bindBefore: world.now + pooledMs },
      ...terms,
    },
    ...{ manifest: manifest.hash, threshold: manifest.threshold, publicKey },
    publicShares: world.indexes.map(() => publicKey),
    chainCode: fresh(),
    transcript: fresh(),
    ...made,
  })
  const signatures = world.indexes.map((index) =>
    by === undefined ? signAs(world.cluster, corrupt, signed) : signAs(by, index, signed),
  )
  return sealKeyCertificate(signed, signatures)
}
