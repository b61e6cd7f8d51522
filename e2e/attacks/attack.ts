import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Cast } from './cast.ts'

/** Where an attack must stop: the one place in the code, and what an honest signer says there. */
export type Check = {
  /** From the root of the checkout. */
  readonly file: string
  /** Stands once in that file: the words of the refusal, or the check where they are a wider one's. */
  readonly code: string
  readonly reason: string
  /**
   * What makes the check go, for those who try whether its attack notices: texts that each stand once
   * in the file, and what stands there instead. A refusal in words (`refuse('…')`) needs none.
   */
  readonly without?: readonly Replacement[]
  /** Why nobody could notice: what else says no to the same, which the check does not rely on. */
  readonly backedBy?: string
}
export type Replacement = readonly [code: string, instead: string]

/** What the coalition got for its pains. */
export type Outcome = {
  /** What each honest signer said that was asked and did not agree. */
  readonly refusals: readonly string[]
  /** Of honest signers. */
  readonly votes: number
  readonly seals: number
  /** How many honest signers gave their last round. */
  readonly lastRounds: number
  readonly isSigned: boolean
  /** How many honest signers have written anything to their store. */
  readonly changed: number
}

export type Attack = {
  /** What the attacker does. */
  readonly name: string
  readonly check: Check
  /** Another way to the same check: told, and not counted. */
  readonly isVariant: boolean
  /** It may hear this many honest yeses on its way, and gets no further all the same. */
  readonly votesMax: number
  readonly sealsMax: number
  readonly run: (cast: Cast) => Promise<Outcome>
}

type Extra = Partial<Pick<Attack, 'isVariant' | 'votesMax' | 'sealsMax'>>

export function attack(
  name: string,
  check: Check,
  run: Attack['run'],
  { isVariant = false, votesMax = 0, sealsMax = 0 }: Extra = {},
): Attack {
  return { name, check, run, isVariant, votesMax, sealsMax }
}

/** A refusal of the rules, by its words, which name its place. */
export function at(file: string, reason: string, code = reason): Check {
  return { file, reason, code }
}

export const rule = (file: string, reason: string, code?: string): Check =>
  at(`authority/reduce/${file}.ts`, reason, code)

/** The same, and how it is taken away. */
export function without(check: Check, ...replacements: readonly Replacement[]): Check {
  return { ...check, without: replacements }
}

/** The same: its code goes, with what follows right behind it. */
export function gone(check: Check, rest = ''): Check {
  return without(check, [`${check.code}${rest}`, ''])
}

/** The same, and why it is not. */
export function backed(check: Check, backedBy: string): Check {
  return { ...check, backedBy }
}

const checkout = join(import.meta.dirname, '..', '..')

/** @throws Error when the code is not there any more, or not once */
export function lineOf({ file, code }: Check): number {
  const parts = readFileSync(join(checkout, file), 'utf8').split(code)
  const [before = '', ...after] = parts
  if (after.length !== 1) throw new Error(`${file} has ${after.length} times: ${code}`)
  return before.split('\n').length
}

export function placeOf(check: Check): string {
  return `${check.file}:${lineOf(check)}`
}

/** The attacks that meet a check of their own: of those that meet the same, the first. */
export function distinct(attacks: readonly Attack[]): readonly Attack[] {
  const places = new Set<string>()
  return attacks.filter(({ check }) => {
    const place = placeOf(check)
    const isNew = !places.has(place)
    places.add(place)
    return isNew
  })
}

/** Those that pretend to be distinct and are not. */
export function undeclared(attacks: readonly Attack[]): readonly Attack[] {
  const counted = new Set(distinct(attacks))
  return attacks.filter((one) => !counted.has(one) && !one.isVariant)
}

/**
 * How an attack ends: its own check stops it, another one refuses it, or it gets what honest signers
 * should not have given.
 */
export type End = { readonly kind: 'stopped' | 'elsewhere' | 'through'; readonly told: string }

export function endOf(attack: Attack, outcome: Outcome): End {
  const got = gotBy(attack, outcome)
  if (got !== undefined) return { kind: 'through', told: got }
  const other = outcome.refusals.find((said) => !said.includes(attack.check.reason))
  return other === undefined
    ? { kind: 'stopped', told: '' }
    : { kind: 'elsewhere', told: `another refusal: ${other}` }
}

function gotBy({ votesMax, sealsMax }: Attack, outcome: Outcome): string | undefined {
  const { votes, seals, lastRounds, isSigned, changed, refusals } = outcome
  if (isSigned) return 'A SIGNATURE'
  if (lastRounds > 0) return `a last round of ${lastRounds}`
  if (seals > sealsMax) return `${seals} seals`
  if (votes > votesMax) return `${votes} votes`
  if (votesMax + sealsMax === 0 && changed > 0) return `${changed} have written`
  return refusals.length === 0 ? 'nobody has refused' : undefined
}

/** Empty when honest signers have held, each by the attack's own check; else in which way they have not. */
export function broken(attack: Attack, outcome: Outcome): string {
  return endOf(attack, outcome).told
}
