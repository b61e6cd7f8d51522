import { isObject, type Json, type JsonObject } from '@quorate/core/json'
import { isRelyingParty, isWebAddress } from '../origin.ts'
import { operations } from '../operations.ts'
import {
  breakWaitMsMin,
  recoveryWaitMsMax,
  rootMembersMax,
  type Issuer,
  type RelyingParty,
  type Settings,
} from '../settings.ts'
import { refuse } from './judging.ts'
import { objectOf, textOf } from './writes.ts'

/**
 * The settings that a body asks for, on the ground of those that stand: absent members stay, and a
 * list that is named is named whole. The wire's form is that of `Settings`, with true and false for
 * what is on or off.
 */
export function readSettings(
  value: Json,
  standing: Settings,
  memberNamed: (name: string) => Uint8Array,
): Settings {
  const body = known(value, settingsMembers)
  const enrolment = known(body['enrolment'] ?? {}, ['employees', 'endUsers'])
  const recovery = known(body['recovery'] ?? {}, ['waitMs', 'usesWhileWaiting'])
  const sources = known(body['factSources'] ?? {}, ['prices', 'screenings'])
  const { enrolment: enrolled, recovery: recovered, factSources } = standing
  return {
    relyingParties: readList(body, 'relyingParties', readRelyingParty, standing.relyingParties),
    userVerification: oneOf(
      body,
      'userVerification',
      ['preferred', 'required'],
      standing.userVerification,
    ),
    enrolment: {
      employees: oneOf(enrolment, 'employees', ['confirmed', 'open'], enrolled.employees),
      endUsers: oneOf(enrolment, 'endUsers', ['confirmed', 'open'], enrolled.endUsers),
    },
    passwordProtectedKeys: onOff(body, 'passwordProtectedKeys', standing.passwordProtectedKeys),
    passwords: onOff(body, 'passwords', standing.passwords),
    recovery: {
      waitMs: readWait(recovery, recovered.waitMs),
      usesWhileWaiting: flag(recovery, 'usesWhileWaiting', {
        ...{ yes: 'allowed', no: 'refused', standing: recovered.usesWhileWaiting },
      }),
    },
    issuers: readList(body, 'issuers', readIssuer, standing.issuers),
    requireChecked: readList(body, 'requireChecked', readOperation, standing.requireChecked),
    breakGlass:
      body['breakGlass'] === undefined
        ? standing.breakGlass
        : readBreakGlass(body['breakGlass'], memberNamed),
    factSources: {
      prices: oneOf(sources, 'prices', ['Server', 'Signer'], factSources.prices),
      screenings: oneOf(sources, 'screenings', ['Server', 'Signer'], factSources.screenings),
    },
  }
}
const settingsMembers = [
  ...['relyingParties', 'userVerification', 'enrolment', 'passwordProtectedKeys', 'passwords'],
  ...['recovery', 'issuers', 'requireChecked', 'breakGlass', 'factSources'],
]
/** As many as the formats of `../settings.ts` hold. */
const listMax = { relyingParties: 16, issuers: 16, requireChecked: 64 } as const
const originsMax = 32
const clientIdsMax = 8
const redirectUrisMax = 8
const textMax = 256

/** @returns how many must agree, and the users as they are named: who they are is judged */
export function readRootQuorum(value: Json): {
  readonly needed: number
  readonly members: readonly string[]
} {
  const body = known(value, ['needed', 'members'])
  const { needed } = body
  if (typeof needed !== 'number') return refuse('needed is not a number')
  const members = textsOf(body, 'members', rootMembersMax)
  if (needed < 1 || needed > members.length) refuse('no such quorum can agree')
  return { needed, members }
}

/** Named whole, or none at all: `needed` of nobody. */
function readBreakGlass(
  value: Json,
  memberNamed: (name: string) => Uint8Array,
): Settings['breakGlass'] {
  const { waitMs, ...quorum } = known(value, ['needed', 'members', 'waitMs'])
  if (quorum['needed'] === 0) return { needed: 0, members: [], waitMs: 0 }
  const { needed, members } = readRootQuorum(quorum)
  const isWait =
    typeof waitMs === 'number' && waitMs >= breakWaitMsMin && waitMs <= recoveryWaitMsMax
  if (!isWait) return refuse(`waitMs is not from ${breakWaitMsMin} to ${recoveryWaitMsMax}`)
  return { needed, members: members.map(memberNamed), waitMs }
}

function readRelyingParty(value: Json): RelyingParty {
  const body = known(value, ['id', 'origins'])
  const id = textOf(body, 'id')
  const origins = textsOf(body, 'origins', originsMax)
  if (origins.length === 0) refuse('a relying party has an origin')
  for (const origin of origins)
    if (!isRelyingParty({ id, origin })) refuse(`${origin} is no origin of ${id}`)
  return { id, origins }
}

function readIssuer(value: Json): Issuer {
  const body = known(value, ['use', 'issuer', 'clientIds', 'redirectUris'])
  const use = oneOf(body, 'use', ['social', 'sso'], undefined)
  const issuer = textOf(body, 'issuer')
  const clientIds = textsOf(body, 'clientIds', clientIdsMax)
  const redirectUris =
    body['redirectUris'] === undefined ? [] : textsOf(body, 'redirectUris', redirectUrisMax)
  if (clientIds.length === 0) refuse('an issuer has a client')
  for (const address of [issuer, ...redirectUris])
    if (!isWebAddress(address)) refuse(`${address} is not an address with https`)
  return { use, issuer, clientIds, redirectUris }
}

function readOperation(value: Json): string {
  if (typeof value !== 'string') return refuse('an operation is named by a text')
  const operation = Object.entries(operations).find(([name]) => name === value)?.[1]
  return operation?.userAction ? value : refuse(`nobody signs the operation ${value}`)
}

function readWait(body: JsonObject, standing: number): number {
  const waitMs = body['waitMs'] ?? standing
  const isWait = typeof waitMs === 'number' && waitMs >= 0 && waitMs <= recoveryWaitMsMax
  return isWait ? waitMs : refuse(`waitMs is not from 0 to ${recoveryWaitMsMax}`)
}

/** No thing twice: two of one name could say two things. */
function readList<T>(
  body: JsonObject,
  name: keyof typeof listMax,
  read: (value: Json) => T,
  standing: readonly T[],
): readonly T[] {
  if (body[name] === undefined) return standing
  const items = itemsOf(body, name)
  if (items.length > listMax[name]) refuse(`${name} are too many`)
  const values = items.map(read)
  if (new Set(values.map(nameOfItem)).size !== values.length) refuse(`${name} name one twice`)
  return values
}

function nameOfItem(value: unknown): string {
  if (typeof value === 'string') return value
  const { id, use, issuer } = value as Partial<RelyingParty & Issuer>
  return id ?? `${use} ${issuer}`
}

function textsOf(body: JsonObject, name: string, max: number): readonly string[] {
  const texts = itemsOf(body, name).map((value) =>
    typeof value === 'string' && value !== '' && value.length <= textMax
      ? value
      : refuse(`${name} are not texts`),
  )
  if (texts.length > max) refuse(`${name} are too many`)
  if (new Set(texts).size !== texts.length) refuse(`${name} name one twice`)
  return texts
}

function itemsOf(body: JsonObject, name: string): readonly Json[] {
  const value: Json | undefined = body[name]
  return Array.isArray(value) ? value : refuse(`${name} are not a list`)
}

/** What nobody understands is not agreed to. */
export function known(value: Json, members: readonly string[]): JsonObject {
  const body = isObject(value) ? value : objectOf(undefined)
  for (const name of Object.keys(body)) if (!members.includes(name)) refuse(`${name} is unknown`)
  return body
}

function oneOf<T extends string>(
  body: JsonObject,
  name: string,
  values: readonly T[],
  standing: T | undefined,
): T {
  const value = body[name] ?? standing
  return values.find((one) => one === value) ?? refuse(`${name} is not one of ${values.join(', ')}`)
}

function onOff(body: JsonObject, name: string, standing: 'on' | 'off'): 'on' | 'off' {
  return flag(body, name, { yes: 'on', no: 'off', standing })
}

function flag<T>(
  body: JsonObject,
  name: string,
  words: { readonly yes: T; readonly no: T; readonly standing: T },
): T {
  const value = body[name]
  if (value === undefined) return words.standing
  if (typeof value !== 'boolean') return refuse(`${name} is not true or false`)
  return value ? words.yes : words.no
}
