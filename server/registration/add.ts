import { parseJson } from '@quorate/core/json'
import { idOf } from '@quorate/core/id'
import { registerEndUser } from '@quorate/api/registration'
import { parse } from '@quorate/api/parse'
import { certificatesIn } from '@quorate/authority/reduce/registration-wallets'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { addCredentials, broughtIn } from '../auth/add-credentials.ts'
import { endCode } from '../auth/codes.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { addBornKey } from '../keys/add.ts'
import type { Applied } from '../orgs/apply.ts'
import { addWalletOn } from '../wallets/add.ts'

/** Rows of what a newcomer has brought; his code has done its work. */
export async function addRegistration(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'registration') throw new TypeError('not a registration')
  const { user, credentials } = item.operation
  const request = nameOfCause(item.cause)
  const given = broughtIn(parseJson(evidence.payload))
  await addCredentials(transaction, { organization, user, request, time, credentials, given })
  await endCode(transaction, { organization, user }, 'registration')
  if (item.operation.wallets.length > 0)
    await addWallets(transaction, { organization, request, evidence, time }, item.operation.wallets)
}

type Registered = Extract<Applied['item']['operation'], { kind: 'registration' }>

async function addWallets(
  transaction: DatabaseTransaction,
  at: Omit<Applied, 'item'> & { readonly request: Uint8Array },
  wallets: Registered['wallets'],
): Promise<void> {
  const { evidence, request } = at
  const given = parse(registerEndUser.body, parseJson(evidence.payload), 'payload').wallets
  const certificates = certificatesIn(evidence.facts)
  for (const [index, { network, key }] of wallets.entries()) {
    const certificate = certificates[index]
    if (certificate === undefined) throw new TypeError('a wallet in force has its certificate')
    const born = { key, name: undefined, delegableBy: undefined, certificate }
    const row = await addBornKey(transaction, at, born)
    await addWalletOn(transaction, at, row, {
      isOnNewKey: true,
      ...{ id: idOf(request, 'wallet', index), request, network, tags: [] },
      name: given[index]?.name || null,
      externalId: null,
    })
  }
}
