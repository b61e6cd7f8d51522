import type { Facts } from '@quorate/effects/facts'
import { plan } from '@quorate/effects/plan'
import type { Opine } from './file.ts'

/**
 * What the chain says, with what is said of what would leave. Always where something is known: a
 * policy of tomorrow may count what is signed today.
 */
export async function withOpinions(
  opine: Opine,
  ask: Omit<Parameters<typeof plan>[0], 'facts'>,
  facts: Facts,
): Promise<Facts> {
  const planned = plan({ ...ask, facts })
  if (!planned.ok) return facts
  const { prices, screenings } = await opine(planned.effect.outflow)
  return prices.length + screenings.length === 0 ? facts : { ...facts, prices, screenings }
}
