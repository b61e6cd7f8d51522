import { signedRequest } from '@quorate/signer/testing/requests'
import { ask, found, hire } from '../coordinator/testing/company.ts'
import { startPlatform } from '../coordinator/testing/platform.ts'
import { callerOf, makeWallet } from '../transfers/testing/treasury.ts'
import { simulatedCoordinator } from './coordinator.ts'
import { openPlace } from './simulate.ts'
import { describeSigners, type SignersUnderTest } from './signers-suite.ts'
import { World } from './world.ts'

describeSigners('four signers', startReal)
describeSigners('their stand-in', startSmall)

async function startReal(): Promise<SignersUnderTest> {
  const platform = await startPlatform()
  const { coordinator, database } = platform
  const company = await found(coordinator, platform.manifest.hash)
  const bot = await hire(coordinator, company)
  const head = await coordinator.head(company.organization)
  const { organization } = company
  await database
    .insertInto('root_applied')
    .values({ organization, seq: head?.seq ?? -1 })
    .execute()
  const caller = callerOf(bot)
  return {
    ...{ organization, coordinator, database, now: Date.now },
    makeWallet: async () => {
      const rpc = async () => undefined
      const wallet = await makeWallet({ platform, company, bot, caller, rpc })
      return { walletId: wallet.wallet_id, key: wallet.key, publicKey: wallet.public_key }
    },
    evidence: ({ executeBefore, ...wish }) =>
      signedRequest(bot, {
        ...{ ...wish, ids: company.ids, now: Date.now() },
        ...(executeBefore === undefined ? {} : { change: { executeBefore } }),
      }),
    byAdministrator: (wish) => ask(company, company.administrator, wish),
    know: (name, id) => void company.ids.set(name, id),
    stop: platform.stop,
  }
}

async function startSmall(): Promise<SignersUnderTest> {
  const { connections, close } = await openPlace()
  const shape = { seed: 'signers', servers: 0, nodes: 1, wallets: 0 }
  const world = new World({ ...shape, connections })
  await world.open()
  const { schedule, signers, database, client } = world
  const now = () => world.time
  return {
    ...{ organization: client.organization, database, now },
    coordinator: simulatedCoordinator({ schedule, signers, database, now }),
    makeWallet: async () => {
      const { walletId, key } = await world.addWallet(0n)
      return { walletId, key, publicKey: signers.publicKey(key) }
    },
    evidence: ({ facts, ...wish }) => ({ ...client.evidence({ ...wish, now: now() }), facts }),
    byAdministrator: (wish) => client.evidence({ ...wish, now: now() }),
    know: (name, id) => void client.ids.set(name, id),
    stop: close,
  }
}
