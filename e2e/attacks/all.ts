import type { Attack } from './attack.ts'
import { people } from './people.ts'
import { recoveries } from './recovery.ts'
import { requests } from './requests.ts'
import { late, rights } from './tokens.ts'

export const attacks: readonly Attack[] = [
  ...requests,
  ...people,
  ...recoveries,
  ...rights,
  ...late,
]
