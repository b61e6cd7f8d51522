import type { EcdsaCurveName } from '../ecdsa/curve.ts'
import type { GroupName } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import type { Party } from '../session.ts'
import type { DkgState } from '../dkg/step.ts'
import type { Game } from './game.ts'
import { dhGame } from './games/dh.ts'
import { dkgGame, disputeGame } from './games/dkg.ts'
import { ecdsaGame } from './games/ecdsa.ts'
import { pairGame } from './games/pair.ts'
import { ed25519Kind, schnorrGame, taprootKind } from './games/schnorr.ts'
import { type Count, runSetting, type Setting } from './run.ts'

type Cluster = { readonly n: number; readonly t: number; readonly corrupt: readonly Party[] }

/** One corrupt party, one of several, and as many as there may be. */
const clusters: readonly Cluster[] = [
  { n: 3, t: 2, corrupt: [2] },
  { n: 5, t: 3, corrupt: [2] },
  { n: 5, t: 3, corrupt: [2, 3] },
]
/** Where every size is asked for. */
const larger: readonly Cluster[] = [
  { n: 2, t: 2, corrupt: [2] },
  { n: 7, t: 4, corrupt: [2, 3, 4] },
  { n: 7, t: 7, corrupt: [2, 3, 4, 5, 6, 7] },
]

const session = 'a session'
const another = 'another session'

/** A setting, whatever the states of its game are. */
export type Ready = {
  readonly name: string
  readonly run: (size: { readonly everything: boolean }) => Count
}

/** Every protocol on every curve, with each of the clusters. */
export function settings({ all }: { readonly all: boolean }): readonly Ready[] {
  const sizes = all ? [...clusters, ...larger] : clusters
  return [
    pairSetting(),
    ...sizes.flatMap((cluster) => [
      ...dkgSettings('secp256k1', cluster, 24),
      ...dkgSettings('ed25519', cluster, 64),
      ...(all || cluster.n === 3 ? dkgSettings('stark', cluster, 128) : []),
      ecdsaSetting('secp256k1', cluster, 14),
      ecdsaSetting('stark', cluster, 60),
      ecdsaSetting('secp256k1', { ...cluster, isDerived: true }, 60),
      ...schnorrSettings(cluster),
      derivedTaproot(cluster),
      dhSetting(cluster),
    ]),
  ]
}

function ready<State>(setting: Setting<State>): Ready {
  const { game, corrupt } = setting
  return {
    name: `${game.name}, ${corrupt.length} corrupt`,
    run: (size) => runSetting(setting, size),
  }
}

function dkgSettings(
  group: GroupName,
  { n, t, corrupt }: Cluster,
  oneOf: number,
): readonly Ready[] {
  const makes: ((of: GroupName, name: string) => Game<DkgState>)[] = [
    (of, name) => dkgGame({ group: of, n, t }, name),
    // The dispute is between party 2 and an honest party 1.
    (of, name) => disputeGame({ group: of, n, t }, 'dealer', name),
    (of, name) => disputeGame({ group: of, n, t }, 'accuser', name),
  ]
  const other = group === 'ed25519' ? 'secp256k1' : 'ed25519'
  return makes.map((make) =>
    ready({
      ...{ game: make(group, session), group: groupOf(group), corrupt, oneOf },
      elsewhere: [
        { name: 'of another session', game: make(group, another) },
        { name: 'of another curve', game: make(other, session) },
      ],
    }),
  )
}

function ecdsaSetting(
  curve: EcdsaCurveName,
  cluster: Cluster & { readonly isDerived?: boolean },
  oneOf: number,
): Ready {
  const setting = { ...cluster, curve }
  const { isDerived = false } = setting
  const other = { ...cluster, curve: curve === 'stark' ? 'secp256k1' : 'stark' } as const
  return ready({
    game: ecdsaGame(setting),
    ...{ group: groupOf(curve), corrupt: cluster.corrupt, oneOf },
    elsewhere: [
      { name: 'of another session', game: ecdsaGame(setting, { name: another }) },
      { name: 'of another epoch', game: ecdsaGame(setting, { epoch: 'another epoch' }) },
      { name: 'of another curve', game: ecdsaGame({ ...other, isDerived: false }) },
      // The very same session, had it been the master's.
      ...(isDerived
        ? [{ name: 'of the master', game: ecdsaGame({ ...setting, isDerived: false }) }]
        : []),
    ],
  })
}

function schnorrSettings(cluster: Cluster): readonly Ready[] {
  const kinds = [
    ed25519Kind,
    taprootKind('plain', undefined),
    taprootKind('taproot', new Uint8Array()),
    taprootKind('taproot', new Uint8Array(32).fill(7)),
  ]
  return kinds.map((kind) =>
    ready({
      game: schnorrGame(kind, cluster),
      ...{ group: groupOf(kind.group), corrupt: cluster.corrupt, oneOf: 6 },
      elsewhere: [
        { name: 'of another session', game: schnorrGame(kind, cluster, another) },
        {
          name: 'of another curve',
          game: schnorrGame(
            kind === ed25519Kind ? taprootKind('plain', undefined) : ed25519Kind,
            cluster,
          ),
        },
      ],
    }),
  )
}

function derivedTaproot(cluster: Cluster): Ready {
  const kind = taprootKind('taproot', new Uint8Array(32).fill(7))
  return ready({
    game: schnorrGame(kind, { ...cluster, isDerived: true }),
    ...{ group: groupOf(kind.group), corrupt: cluster.corrupt, oneOf: 6 },
    elsewhere: [{ name: 'of the master', game: schnorrGame(kind, cluster) }],
  })
}

function dhSetting(cluster: Cluster): Ready {
  return ready({
    game: dhGame(cluster),
    ...{ group: groupOf('secp256k1'), corrupt: cluster.corrupt, oneOf: 6 },
    elsewhere: [{ name: 'of another session', game: dhGame(cluster, another) }],
  })
}

/** Two parties, whoever else there is; a session takes some tenth of a second. */
function pairSetting(): Ready {
  return ready({
    game: pairGame(),
    ...{ group: groupOf('ed25519'), corrupt: [2], oneOf: 28 },
    elsewhere: [{ name: 'of another session', game: pairGame(another) }],
  })
}
