import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { agreement, type Agreement } from '@quorate/api/agreements'

/** What no operator has more of. */
const agreementsMax = 100
const file = z.array(agreement).max(agreementsMax)

/** @throws Error for a file that cannot be used */
export function readAgreements(name: string): readonly Agreement[] {
  if (name === '') return []
  const read = file.safeParse(parsed(readFileSync(name, 'utf8')))
  if (!read.success)
    throw new Error(`The file of agreements is wrong.\n${z.prettifyError(read.error)}`)
  return read.data
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error('The file of agreements is not JSON.', { cause })
  }
}
