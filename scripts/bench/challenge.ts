import { BaseAuthApi } from '@dfns/sdk/baseAuthApi.js'
import { heading, line, rateLine, rateOf, timesOf } from './measure.ts'
import type { BenchPlatform } from './platform.ts'
import { watchProcessors } from './processor.ts'
import { watchRequests } from './requests.ts'

const warmups = 20
const rounds = 5

/** What every change of anything begins with: a challenge, its signature, and an action for it. */
export async function benchChallenge(
  { file, signer, processes }: BenchPlatform,
  { challenges, inFlight }: { readonly challenges: number; readonly inFlight: number },
  say: (text: string) => void,
): Promise<void> {
  const payload = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' })
  const goRound = () => actionFor({ file, signer }, '/keys', payload)
  await timesOf(warmups, goRound)
  const requests = watchRequests()
  const spent = watchProcessors(processes)
  const times = await timesOf(challenges, goRound)
  requests.stop()
  say(heading('Challenge and answer alone, milliseconds'))
  say(line('both requests', times))
  for (const [name, values] of requests.times) say(line(`  ${name}`, values))
  say(spent(challenges))
  const each = Math.max(1, Math.ceil(challenges / inFlight))
  const workers = Array.from({ length: inFlight }, () => goRound)
  const rates: number[] = []
  for (let i = 0; i < rounds; i++) rates.push(2 * (await rateOf(each, workers)))
  say(rateLine(`requests, ${inFlight} rounds in flight`, rates))
}

/** @returns what the request itself is sent with, as the official client does it */
export async function actionFor(
  { file, signer }: Pick<BenchPlatform, 'file' | 'signer'>,
  path: string,
  payload: string,
): Promise<string> {
  const { baseUrl, orgId, serviceAccount } = file
  const options = { baseUrl, orgId, authToken: serviceAccount.authToken, signer }
  const asked = { userActionHttpMethod: 'POST', userActionServerKind: 'Api' } as const
  const challenge = await BaseAuthApi.createUserActionChallenge(
    { ...asked, userActionHttpPath: path, userActionPayload: payload },
    options,
  )
  const { challengeIdentifier } = challenge
  const firstFactor = await signer.sign(challenge)
  const signed = { challengeIdentifier, firstFactor }
  const { userAction } = await BaseAuthApi.signUserActionChallenge(signed, options)
  return userAction
}
