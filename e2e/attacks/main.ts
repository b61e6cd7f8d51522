import { attacks } from './all.ts'
import { broken, distinct, endOf, placeOf, type End } from './attack.ts'
import { openCast } from './cast.ts'
import { named } from './named.ts'

/**
 * `npm run attacks -- [part of a name]`: each attack, where it was stopped and by how many honest
 * signers. Ends with 0 only when all were stopped where they should be. `--list` tells by what name
 * attacks are known, and tries none.
 */
export async function main(): Promise<number> {
  const parts = process.argv.slice(2)
  if (parts.includes('--list')) return list()
  const chosen = attacks.filter(({ name }) => parts.every((part) => name.includes(part)))
  const cast = await openCast()
  let failed = 0
  try {
    for (const one of chosen) {
      const outcome = await one.run(cast)
      const wrong = broken(one, outcome)
      if (wrong !== '') failed++
      const by = `${outcome.refusals.length} said: ${one.check.reason}`
      const told =
        wrong === '' ? `stopped at ${placeOf(one.check)}; ${by}` : `NOT STOPPED: ${wrong}`
      console.log(`${one.isVariant ? '  also ' : ''}${one.name}\n    ${told}`)
    }
  } finally {
    cast.stage.world.close()
  }
  if (chosen.length === attacks.length) list()
  const count = distinct(chosen).length
  console.log(`\n${count} distinct attacks, ${chosen.length - count} more ways to the same checks.`)
  console.log(
    failed === 0 ? 'None has got anything.' : `${failed} were not stopped as they should.`,
  )
  return failed === 0 ? 0 : 1
}

function list(): number {
  console.log('\nBy the names under which attacks are known:')
  for (const { name, note, attacks: here, tests = [] } of named) {
    console.log(note === undefined ? name : `${name} (${note})`)
    for (const one of here) console.log(`    ${one}`)
    for (const test of tests) console.log(`    ${test.file}: ${test.name}`)
  }
  return 0
}

/** Node itself ends with 1 where an attack fails by an error. */
export const exitCodes: Readonly<Record<End['kind'], number>> = {
  ...{ stopped: 0, through: 20, elsewhere: 21 },
}

/**
 * The one of this very name, wherever it stops: for whoever has taken its check away.
 * @returns how it ended, by `exitCodes`
 */
export async function one(): Promise<number> {
  const [asked] = process.argv.slice(2)
  const chosen = attacks.find(({ name }) => name === asked)
  if (chosen === undefined) throw new Error('There is no such attack.')
  const cast = await openCast()
  try {
    const { kind, told } = endOf(chosen, await chosen.run(cast))
    console.log(told)
    return exitCodes[kind]
  } finally {
    cast.stage.world.close()
  }
}
