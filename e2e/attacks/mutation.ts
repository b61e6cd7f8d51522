import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Check, Replacement } from './attack.ts'

/**
 * How a check is taken away: as it says itself, or its refusal by its words.
 * @returns nothing when nobody could notice
 * @throws Error when it cannot be found, or not once
 */
export function mutationOf(check: Check, checkout: string): readonly Replacement[] | undefined {
  if (check.backedBy !== undefined) return undefined
  const replacements = check.without ?? [[`refuse('${check.code}')`, '(undefined as never)']]
  const text = readFileSync(join(checkout, check.file), 'utf8')
  for (const [code] of replacements) {
    const times = text.split(code).length - 1
    if (times !== 1) throw new Error(`${check.file} has ${times} times: ${code}`)
  }
  return replacements
}

export function mutated(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce(
    (changed, [code, instead]) => changed.replace(code, () => instead),
    text,
  )
}
