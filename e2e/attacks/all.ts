import type { Attack } from './attack.ts'
import { logs } from './log.ts'
import { owners } from './ownership.ts'
import { people } from './people.ts'
import { recoveries } from './recovery.ts'
import { requests } from './requests.ts'
import { rulers } from './rulers.ts'
import { late, rights } from './tokens.ts'

export const attacks: readonly Attack[] = [
  ...requests,
  ...people,
  ...recoveries,
  ...rights,
  ...owners,
  ...rulers,
  ...logs,
  ...late,
]
