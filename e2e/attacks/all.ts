import { agreements } from './agreement.ts'
import type { Attack } from './attack.ts'
import { bids } from './bids.ts'
import { beginnings } from './born.ts'
import { clients } from './client.ts'
import { children } from './derived.ts'
import { frozen } from './frozen.ts'
import { publicKeys } from './keys.ts'
import { lanes } from './lanes.ts'
import { logs } from './log.ts'
import { owners } from './ownership.ts'
import { mailbox } from './mailbox.ts'
import { passkeys } from './passkeys.ts'
import { people } from './people.ts'
import { peers } from './peers.ts'
import { policies } from './policies/all.ts'
import { pools } from './pool.ts'
import { recoveries } from './recovery.ts'
import { requests } from './requests.ts'
import { rounds } from './rounds.ts'
import { rulers } from './rulers.ts'
import { schemes } from './schemes.ts'
import { times } from './times.ts'
import { sponsors } from './sponsors.ts'
import { late, rights } from './tokens.ts'

export const attacks: readonly Attack[] = [
  ...requests,
  ...people,
  ...recoveries,
  ...rights,
  ...owners,
  ...pools,
  ...passkeys,
  ...publicKeys,
  ...rulers,
  ...frozen,
  ...logs,
  ...beginnings,
  ...agreements,
  ...mailbox,
  ...rounds,
  ...peers,
  ...children,
  ...schemes,
  ...clients,
  ...times,
  ...late,
  ...policies,
  ...lanes,
  ...sponsors,
  ...bids,
]
