import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { keyStream } from '@quorate/authority/stream'
import { requestHash } from '@quorate/authority/request'
import { createdName, idOf } from '@quorate/core/id'
import { signedRequest } from '@quorate/signer/testing/requests'
import type { Coordinator } from '../coordinator/coordinator.ts'
import { ask, type Company, found, hire } from '../coordinator/testing/company.ts'
import { openForgetful, startPlatform } from '../coordinator/testing/platform.ts'
import { callerOf, makeWallet } from '../transfers/testing/treasury.ts'
import { simulatedCoordinator } from './coordinator.ts'
import { openPlace } from './simulate.ts'
import { describeSigners } from './signers-suite.ts'
import type { SignersUnderTest } from './signers-under-test.ts'
import { changeOf, changeSponsor, makeSponsor } from './sponsors.ts'
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
    agreeUnkept: async ({ key }, evidence) => {
      const dying = openForgetful(platform)
      await assert.rejects(dying.sign({ organization, key, evidence }))
    },
    know: (name, id) => void company.ids.set(name, id),
    ...realSponsors(coordinator, company),
    pass: (moment) => sleep(Math.max(0, moment + 1 - Date.now())),
    stop: platform.stop,
  }
}

function realSponsors(
  coordinator: Coordinator,
  company: Company,
): Pick<SignersUnderTest, 'makeSponsor' | 'changeSponsor'> {
  const { organization, administrator } = company
  return {
    makeSponsor: async ({ walletId }, limits = {}) => {
      const wish = { path: '/fee-sponsors', body: { walletId, limits } }
      const evidence = ask(company, administrator, wish)
      await coordinator.settle({ organization, kind: 'feeSponsor', evidence })
      const request = requestHash(evidence.preimage)
      const made = { id: idOf(request, 'feeSponsor'), name: createdName(request, 'feeSponsor') }
      company.ids.set(made.name, made.id)
      return made
    },
    changeSponsor: async (sponsor, asked) => {
      const { method, path, body } = changeOf(sponsor, asked)
      const subjects = [{ role: 'feeSponsorId', id: sponsor.id }]
      const evidence = signedRequest(administrator, {
        ...{ path, body, now: Date.now(), change: { method, subjects } },
      })
      await coordinator.settle({ organization, kind: 'feeSponsorUpdate', evidence })
    },
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
    agreeUnkept: async ({ key }, evidence) => {
      const place = { organization: client.organization, stream: keyStream(key) }
      signers.agree(place, { kind: 'use', evidence }, now())
    },
    know: (name, id) => void client.ids.set(name, id),
    makeSponsor: (wallet, limits) => makeSponsor(world, wallet, limits),
    changeSponsor: (sponsor, change) => changeSponsor(world, sponsor, change),
    pass: async (moment) => void (world.time = Math.max(world.time, moment + 1)),
    stop: close,
  }
}
