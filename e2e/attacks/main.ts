import { attacks } from './all.ts'
import { broken, distinct, placeOf } from './attack.ts'
import { openCast } from './cast.ts'

/**
 * `npm run attacks -- [part of a name]`: each attack, where it was stopped and by how many honest
 * signers. Ends with 0 only when all were stopped where they should be.
 */
export async function main(): Promise<number> {
  const parts = process.argv.slice(2)
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
  const count = distinct(chosen).length
  console.log(`\n${count} distinct attacks, ${chosen.length - count} more ways to the same checks.`)
  console.log(
    failed === 0 ? 'None has got anything.' : `${failed} were not stopped as they should.`,
  )
  return failed === 0 ? 0 : 1
}
