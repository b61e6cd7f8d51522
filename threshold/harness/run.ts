import type { Group } from '../group/group.ts'
import type { Party } from '../session.ts'
import { type Elsewhere, type Trial, trialsOf } from './attacks.ts'
import { endsOf, slip } from './check.ts'
import { courseOf, type Game, play, saidIn } from './game.ts'

/** A game, with who is corrupt in it and what they can replay. */
export type Setting<State> = {
  readonly game: Game<State>
  readonly group: Group
  readonly corrupt: readonly Party[]
  readonly elsewhere: readonly { readonly name: string; readonly game: Game<State> }[]
  /** Of how many trials one is made where time is short. */
  readonly oneOf: number
}

export type Count = {
  readonly name: string
  readonly corrupt: number
  readonly fields: number
  readonly mutations: number
  readonly sessions: number
  readonly ends: ReadonlyMap<string, number>
  readonly slips: readonly string[]
}

/** @param everything all trials, and not one of so many */
export function runSetting<State>(
  { game, group, corrupt, ...setting }: Setting<State>,
  { everything }: { readonly everything: boolean },
): Count {
  const course = courseOf(game)
  const elsewhere: readonly Elsewhere[] = setting.elsewhere.map((place) => ({
    name: place.name,
    said: saidIn(place.game, courseOf(place.game)),
  }))
  const all = trialsOf({ rules: game, said: saidIn(game, course), group, corrupt, elsewhere })
  const trials = everything ? all : thinned(all, setting.oneOf)
  const ends = new Map<string, number>()
  const slips: string[] = []
  for (const trial of trials) {
    const played = play(game, course, trial.attack)
    for (const end of endsOf(played)) ends.set(end, (ends.get(end) ?? 0) + 1)
    const wrong = slip(game, trial, played)
    if (wrong !== undefined) slips.push(`${game.name}: ${trial.attack.name}: ${wrong}`)
  }
  return {
    name: game.name,
    corrupt: corrupt.length,
    fields: new Set(trials.filter(({ field }) => field !== '').map(nameOf)).size,
    mutations: new Set(trials.map((trial) => `${nameOf(trial)} ${trial.mutation}`)).size,
    sessions: trials.length,
    ends,
    slips,
  }
}

/**
 * How sessions end in which the falsified bytes are the same whatever the secrets are, by the name of the
 * attack.
 */
export function endsOfFixed<State>({
  game,
  group,
  corrupt,
  oneOf,
}: Omit<Setting<State>, 'elsewhere'>): ReadonlyMap<string, readonly string[]> {
  const course = courseOf(game)
  const all = trialsOf({ rules: game, said: saidIn(game, course), group, corrupt, elsewhere: [] })
  const fixed = thinned(
    all.filter(({ isFixed }) => isFixed),
    oneOf,
  )
  return new Map(fixed.map(({ attack }) => [attack.name, endsOf(play(game, course, attack))]))
}

/** Of every field one of so many, beginning elsewhere in each, and at least one. */
function thinned(trials: readonly Trial[], oneOf: number): readonly Trial[] {
  const byField = Map.groupBy(trials, nameOf)
  return [...byField.values()].flatMap((own, field) => {
    const chosen = own.filter((_, place) => (place + 3 * field) % oneOf === 0)
    return chosen.length > 0 ? chosen : own.slice(field % own.length).slice(0, 1)
  })
}

function nameOf({ message, field }: Trial): string {
  return `${message}.${field}`
}
