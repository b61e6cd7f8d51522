import type { Abort, Party } from '../session.ts'
import type { Trial } from './attacks.ts'
import type { Play, Rules } from './game.ts'

/** In one word each, how it ended: names of checks, or `good`. */
export function endsOf({ endings, verdict }: Play): readonly string[] {
  const reasons = new Set<string>()
  for (const ending of endings.values())
    if (ending.kind === 'abort') reasons.add(ending.abort.reason)
  if (reasons.size === 0) reasons.add(verdict.kind === 'refused' ? verdict.reason : verdict.kind)
  return [...reasons]
}

/**
 * What is wrong with how it ended, or nothing: a bad key or signature, a reaction that is not the one of
 * threshold-signing 6.7, an honest party named or its pair burned, words that are not in the table, or an
 * end that this falsification should not have.
 */
export function slip(rules: Rules, trial: Trial, play: Play): string | undefined {
  const { corrupt } = trial.attack
  if (play.verdict.kind === 'bad') return play.verdict.what
  for (const ending of play.endings.values()) {
    if (ending.kind !== 'abort') continue
    const wrong = wrongReaction(rules, corrupt, ending.abort)
    if (wrong !== undefined) return wrong
    if (Object.keys(ending.abort).length > 3) return 'an abort says more than it should'
  }
  // Whom the coordinator names after it has told two stories itself says nothing.
  if (play.verdict.kind === 'refused' && !(rules.isRelayed && trial.isToOne)) {
    const wrong = wrongReaction(rules, corrupt, { ...play.verdict, burned: [] })
    if (wrong !== undefined) return wrong
  }
  const { usual = 'good' } = rules
  const allowed = trial.ends.map((end) => (end === 'good' ? usual : end))
  const ends = endsOf(play)
  // The others, who were told the truth, may end as ever, if not all do.
  if (trial.isToOne && ends.length > 1) allowed.push(usual)
  const unexpected = ends.filter((end) => !allowed.includes(end))
  return unexpected.length > 0 ? `ends by: ${unexpected.join(', ')}` : undefined
}

function wrongReaction(
  { reactions }: Rules,
  corrupt: readonly Party[],
  { reason, culprits, burned }: Abort,
): string | undefined {
  if (!areAll(corrupt, culprits)) return `an honest party is named: ${reason}`
  if (!areAll(corrupt, burned)) return `a pair of honest parties is burned: ${reason}`
  switch (reactions[reason]) {
    case 'names':
      return culprits.length > 0 && burned.length === 0 ? undefined : `names nobody: ${reason}`
    case 'burns':
      return burned.length > 0 ? undefined : `burns nothing: ${reason}`
    case 'nobody':
      return culprits.length === 0 && burned.length === 0 ? undefined : `names somebody: ${reason}`
    default:
      return `not in the table: ${reason}`
  }
}

function areAll(corrupt: readonly Party[], parties: readonly Party[]): boolean {
  return parties.every((party) => corrupt.includes(party))
}
