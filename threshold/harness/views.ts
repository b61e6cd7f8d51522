import type { EcdsaContext } from '../ecdsa/context.ts'
import { named } from '../ecdsa/testing/parties.ts'
import { groupOf } from '../group/groups.ts'
import type { Party, Random } from '../session.ts'
import { endsOf } from './check.ts'
import { courseOf, type Game, play } from './game.ts'
import { ecdsaGame } from './games/ecdsa.ts'
import { type Key, keyOf, shiftedShare, tweakOf } from './games/key.ts'
import { ed25519Kind, schnorrGame, taprootKind } from './games/schnorr.ts'
import type { Script } from './scripts.ts'

/** Parties that begin one session with different ideas of it. */

const sure = { theory: 1, attempts: [5, 200] } as const
const size = { n: 3, t: 2 }
const tree = taprootKind('taproot', new Uint8Array(32).fill(7))

/** Everybody does as he should by what he was told: two stories, or one story and a liar. */
function ends<State>(game: Game<State>, corrupt: readonly Party[]): readonly string[] {
  const honest = { name: '', round: 1, believed: false }
  const played = play(game, courseOf(game), { ...honest, corrupt, tamper: (told) => [told] })
  const burned = [...played.endings.values()].flatMap((ending) =>
    ending.kind === 'abort' ? ending.abort.burned : [],
  )
  // Whoever has told two stories is the coordinator: no pair may come to harm.
  return burned.some((party) => !corrupt.includes(party)) ? ['burned'] : endsOf(played)
}

/**
 * Two digests under one first session id. Signers' ids hold the step and the place in it, so that two
 * stories are two sessions there; this is what would hold if they did not.
 */
export function splitScripts(): readonly Script[] {
  const ecdsa = (['secp256k1', 'stark'] as const).map((curve): Script => ({
    name: `coordinator: two digests shown to the parties of one session, ECDSA ${curve}`,
    ...{ ...sure, by: ['round 1 digest'] },
    attempt: (random) => {
      const told = toOne(random)
      const digest = named(told.text).with(0, 1)
      const change = (context: EcdsaContext): EcdsaContext =>
        context.self === told.party ? { ...context, digest } : context
      return ends(ecdsaGame({ ...size, curve, corrupt: [] }, { change }), [])
    },
  }))
  const schnorr = [ed25519Kind, tree].map((kind): Script => ({
    name: `coordinator: two messages shown to the parties of one session, ${kind.name}`,
    ...{ ...sure, by: ['share'] },
    attempt: (random) => {
      const told = toOne(random)
      const message = named(told.text)
      const game = schnorrGame(kind, { ...size, corrupt: [] }, 'a session', (held, self) =>
        self === told.party ? { ...held, message } : held,
      )
      return ends(game, [])
    },
  }))
  return [...ecdsa, ...schnorr]
}

/** To whom the other story is told. */
function toOne(random: Random): { readonly party: Party; readonly text: string } {
  const [half = 0, ...rest] = random(33)
  return { party: 1 + (half & 1), text: rest.join() }
}

/** Party 2 signs by a derived key with another share than follows from the path. */
export function derivedScripts(): readonly Script[] {
  const master = keyOf('secp256k1', size)
  const own = (secret: Uint8Array) => ({ secret, publicShare: pointOf(secret) })
  const ofMaster = () => own(master.secrets[1] ?? new Uint8Array())
  const elsewhere = (random: Random) => own(shifted(master, tweakOf(random(32).join())))
  const lies = [
    ['its share of the master', ofMaster],
    ['a share of another child', elsewhere],
  ] as const
  return [
    ...lies.flatMap(([what, make]): readonly Script[] => [
      {
        name: `a derived key: ${what}, in everything, ECDSA`,
        ...{ ...sure, by: ['public key'] },
        attempt: (random) => lyingEcdsa(make(random)),
      },
      {
        name: `a derived key: ${what}, in everything, Taproot`,
        ...{ ...sure, by: ['share'] },
        attempt: (random) => lyingTaproot(make(random)),
      },
    ]),
    {
      name: 'a derived key: a session of its master, with all that belongs to it, ECDSA',
      ...{ ...sure, by: ['round 1 digest'] },
      attempt: () => {
        const { secret } = ofMaster()
        const { publicKey, publicShares } = master
        return playing((context) => ({ ...context, publicKey, publicShares, secret }))
      },
    },
  ]
}

type Own = { readonly secret: Uint8Array; readonly publicShare: Uint8Array }

function lyingEcdsa({ secret, publicShare }: Own): readonly string[] {
  return playing(({ publicShares, ...context }) => ({
    ...context,
    publicShares: publicShares.with(1, publicShare),
    secret,
  }))
}

function playing(change: (context: EcdsaContext) => EcdsaContext): readonly string[] {
  const setting = { ...size, curve: 'secp256k1', corrupt: [2], isDerived: true } as const
  const game = ecdsaGame(setting, {
    change: (context) => (context.self === 2 ? change(context) : context),
  })
  return ends(game, [2])
}

function lyingTaproot({ secret }: Own): readonly string[] {
  const setting = { ...size, corrupt: [2], isDerived: true }
  const game = schnorrGame(tree, setting, 'a session', (held, self) =>
    self === 2 ? { ...held, secret } : held,
  )
  return ends(game, [2])
}

function shifted(master: Key, tweak: Uint8Array): Uint8Array {
  return shiftedShare({ ...size, ...master, self: 2, secret: master.secrets[1] ?? tweak }, tweak)
}

function pointOf(secret: Uint8Array): Uint8Array {
  const group = groupOf('secp256k1')
  return group.encode(group.multiplyBase(group.scalarFromBytes(secret) ?? 0n))
}
