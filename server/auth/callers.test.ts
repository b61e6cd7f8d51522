import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { endpoints } from '@quorate/api/endpoints'
import { fingerprintOf } from '@quorate/authority/credential'
import {
  matchOperation,
  namedIds,
  operationNames,
  operations,
  permissionsFor,
  type OperationName,
} from '@quorate/authority/operations'
import type { Operation } from '@quorate/authority/operations/operation'
import { acceptedNames, currentNames, meaningOf } from '@quorate/authority/permission-names'
import {
  credentialTable,
  encodeRecord,
  grantsTable,
  nameTable,
  permissionTable,
  recordKey,
  tokenTable,
  userTable,
  type Table,
} from '@quorate/authority/records'
import { newborn } from '@quorate/authority/reduce/new-user'
import { draftStep } from '@quorate/authority/reduce/step'
import { noStep, reducerVersion } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { makePerson, makeRequest, type Person } from '@quorate/authority/testing/world'
import { nameOf } from '@quorate/core/id'
import { rulesFor } from '@quorate/judge/rules'
import { identityRoutes } from '../identity.ts'
import { foundCompany } from '../testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { beginSession } from './sessions.ts'

type Kind = 'employee' | 'endUser' | 'serviceAccount'
type Speaker = {
  readonly what: string
  readonly kind: Kind
  readonly user: Uint8Array
  readonly userId: string
  readonly by: Person
  readonly token: { readonly id: Uint8Array; readonly kind: 'Pat' | 'ServiceAccount' } | undefined
  readonly bearer: () => Promise<string>
  /** What is his alone, and nothing besides. */
  readonly permission: Uint8Array
}
/** `kind`: never for such a caller; a name: for whoever has that permission. */
type Verdict = { readonly allowed: boolean; readonly missing?: string }

const id = () => new Uint8Array(randomBytes(32))
const day = 24 * 60 * 60_000

/**
 * Generated from the table of operations: every endpoint, every kind of caller, with exactly the
 * permissions that it needs and with all but one of them. Router and rules must say the same.
 */
describe('who may ask for what', () => {
  let platform: TestPlatform
  let organization: Uint8Array
  let orgId: string
  let speakers: readonly Speaker[]
  /** What moves money has routes of its own, behind the same door: of those the rules are asked. */
  let routed: ReadonlySet<OperationName>

  const write = <T>(table: Table<T>, name: readonly (Uint8Array | string)[], value: T) =>
    platform.solo.write(organization, {
      key: recordKey(table, ...name),
      value: encodeRecord(table, value),
    })
  const permissionOf = (...operations: readonly string[]) => {
    const permission = id()
    write(permissionTable, [permission], {
      ...{ name: 'of a test', all: 'no', immutable: 'no', status: 'active', operations },
    })
    return permission
  }
  const grant = (identity: Uint8Array, permission: Uint8Array) =>
    write(grantsTable, [identity], { entries: [{ permission, assignment: id() }] })

  async function makeUser(kind: Kind) {
    const [user, by] = [id(), makePerson()]
    const userId = nameOf('user', user)
    const fingerprint = fingerprintOf(by.spki)
    const credentials = kind === 'serviceAccount' ? [] : [fingerprint]
    write(userTable, [user], { ...newborn, kind, origin: 'made', registered: 'yes', credentials })
    write(nameTable, [userId], { id: user })
    await platform.database
      .insertInto('users')
      .values({
        ...{ organization, id: user, user_id: userId, kind, username: userId },
        created_at: Date.now(),
      })
      .execute()
    return { user, by, userId }
  }
  const addCredential = (user: Uint8Array, by: Person, token: Uint8Array | undefined) =>
    write(credentialTable, [user, fingerprintOf(by.spki)], {
      ...{ id: id(), kind: 'Key', spki: by.spki, rank: 'confirmed', status: 'active', token },
      ...{ relyingParty: undefined, generation: 0 },
    })
  const addToken = (user: Uint8Array, kind: 'Pat' | 'ServiceAccount') => {
    const token = id()
    write(tokenTable, [token], {
      ...{ user, kind, status: 'active', expiresAt: Date.now() + day, generation: 0 },
      scoped: kind === 'Pat' ? 'yes' : 'no',
    })
    write(nameTable, [nameOf('token', token)], { id: token })
    return { id: token, kind }
  }

  async function makeSpeaker(kind: Kind, isPat: boolean): Promise<Speaker> {
    const { user, userId, by } = await makeUser(kind)
    const isMachine = kind === 'serviceAccount'
    const token = isPat || isMachine ? addToken(user, isPat ? 'Pat' : 'ServiceAccount') : undefined
    addCredential(user, by, token?.id)
    const permission = permissionOf()
    // A token is bounded by its own permission; its owner has everything there is.
    if (isPat) grant(user, permissionOf(...currentNames))
    grant(isPat && token !== undefined ? token.id : user, permission)
    const named = { orgId, userId, username: userId }
    const bearer = async () =>
      token === undefined
        ? beginSession(platform.deps, { ...named, organization, user })
        : platform.tokens.issue(
            { ...named, tokenKind: token.kind, tokenId: nameOf('token', token.id) },
            { from: Date.now(), until: Date.now() + day },
          )
    const what = isPat ? `${kind}'s token` : kind
    return { what, kind, user, userId, by, token, bearer, permission }
  }

  before(async () => {
    platform = await startTestPlatform()
    routed = new Set(identityRoutes(platform.deps).map(({ endpoint }) => endpoint.name))
    orgId = (await foundCompany(platform)).orgId
    const row = await platform.database
      .selectFrom('organizations')
      .select('id')
      .executeTakeFirstOrThrow()
    organization = row.id
    speakers = await Promise.all([
      makeSpeaker('employee', false),
      makeSpeaker('endUser', false),
      makeSpeaker('serviceAccount', false),
      makeSpeaker('employee', true),
      makeSpeaker('endUser', true),
    ])
  })
  after(() => platform.close())

  const served = endpoints.map(({ name }) => name)
  const closed = served.filter((name) =>
    operations[name].callers.some((kind) => kind !== 'setup' && kind !== 'newcomer'),
  )

  const pathFor = ({ method, path }: Operation): string => {
    const match = matchOperation(method, path.replaceAll(/:[a-zA-Z]+/g, 'x'))
    if (match === undefined) return assert.fail(path)
    const named = namedIds(match, {})
    return path.replaceAll(/:([a-zA-Z]+)/g, (_whole, role) => {
      const one = named.find((entry) => entry.role === role)
      return one === undefined ? 'x' : nameOf(one.kind, new Uint8Array(32))
    })
  }
  const send = async (name: OperationName, authorization: string | undefined) => {
    const { method } = operations[name]
    const response = await fetch(new URL(pathFor(operations[name]), platform.baseUrl), {
      method,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
      },
      ...(method === 'GET' ? {} : { body: '{}' }),
    })
    const body = (await response.json()) as { error?: { message?: string } }
    return { status: response.status, message: body.error?.message ?? '' }
  }

  async function askRouter(speaker: Speaker, name: OperationName, bearer: string) {
    const { status, message } = await send(name, `Bearer ${bearer}`)
    assert.notEqual(status, 401, `${name} by ${speaker.what}: ${message}`)
    const [, missing] = /not authorized to perform operation \((.*)\)$/.exec(message) ?? []
    if (missing === undefined) return { allowed: true }
    const kind = speaker.kind === 'endUser' ? 'EndUser' : 'CustomerEmployee'
    assert.equal(status, 403)
    assert.equal(
      message,
      `${kind} ${speaker.userId} is not authorized to perform operation (${missing})`,
    )
    return { allowed: false, missing }
  }

  async function askRules(speaker: Speaker, name: OperationName): Promise<Verdict> {
    const { method, changes } = operations[name]
    if (changes.item === 'none') return assert.fail(name)
    const kind = changes.item
    const time = Date.now()
    const evidence = makeRequest({
      ...{ organization, user: speaker.user, by: speaker.by, method, time, body: {} },
      path: pathFor(operations[name]),
      preimage: { token: speaker.token },
    })
    const { manifest } = platform.solo.cluster
    const draft = {
      ...{ organization, stream: rootOf(organization), seq: 1, previous: noStep, heads: [] },
      ...{ manifest: manifest.hash, reducer: reducerVersion, time },
    }
    const reason = await platform.solo.read(organization, (reader) => {
      const drafted = draftStep(draft, [{ kind, evidence }], reader, rulesFor(manifest))
      return drafted.ok ? '' : drafted.reason
    })
    assert.doesNotMatch(reason, /signature|credential is not|user is not|token is not/, name)
    const [, missing] = /^not authorized to perform operation \((.*)\)$/.exec(reason) ?? []
    if (missing !== undefined) return { allowed: false, missing }
    return { allowed: !/^(no caller of this kind|a personal access token) may/.test(reason) }
  }

  const mayEver = ({ callers, pats }: Operation, { kind, token }: Speaker) =>
    callers.includes(kind) && (token?.kind !== 'Pat' || pats)
  const setRights = ({ permission }: Speaker, names: readonly string[]) =>
    platform.solo.alter(organization, permissionTable, [permission], { operations: [...names] })

  it('is the same for the router and for the rules, for every kind of caller', async () => {
    let asked = 0
    for (const speaker of speakers) {
      const bearer = await speaker.bearer()
      for (const name of closed) {
        const operation = operations[name]
        const where = `${name} by ${speaker.what}`
        const needed = permissionsFor(operation, {})
        const ever = mayEver(operation, speaker)
        const own = name === 'auth.logout' ? await speaker.bearer() : bearer
        for (const without of [undefined, ...needed]) {
          const rights = without === undefined ? needed : currentNames
          setRights(
            speaker,
            rights.filter((one) => one !== without),
          )
          const atDoor = without === undefined || operation.permissions.includes(without)
          const expected = ever && without === undefined
          const missing = ever ? without : (operation.permissions[0] ?? name)
          if (atDoor && routed.has(name))
            assert.deepEqual(
              await askRouter(speaker, name, own),
              expected ? { allowed: true } : { allowed: false, missing },
              where,
            )
          if (operation.userAction && operation.changes.item !== 'none')
            assert.deepEqual(
              await askRules(speaker, name),
              ever && without !== undefined
                ? { allowed: false, missing: without }
                : { allowed: expected },
              where,
            )
          asked++
        }
      }
    }
    assert.ok(asked > 400, `${asked} were asked`)
  })

  it('is nothing for nobody, for a foreign token, for the operator and for a newcomer', async () => {
    const [{ userId } = assert.fail()] = speakers
    const life = { from: Date.now(), until: Date.now() + day }
    const newcomer = await platform.tokens.issue(
      {
        ...{ orgId, userId, username: userId, tokenKind: 'Temp', tokenId: '00'.repeat(32) },
      },
      life,
    )
    const challenge = await platform.tokens.sealChallenge({ preimage: '', salt: '' }, life)
    const none = [undefined, 'Bearer x', `Bearer ${challenge}`, 'Basic eDp5']
    for (const name of closed.filter((one) => routed.has(one)))
      for (const authorization of [...none, `Bearer ${newcomer}`, `Bearer ${setupToken}`])
        assert.deepEqual(
          await send(name, authorization),
          { status: 401, message: 'Not Authorized.' },
          `${name} by ${authorization}`,
        )
  })

  it('of setup and of newcomers’ ends is nobody’s who has another token', async () => {
    const theirs = served.filter((name) =>
      operations[name].callers.some((kind) => kind === 'setup' || kind === 'newcomer'),
    )
    assert.ok(theirs.length >= 2)
    for (const speaker of speakers)
      for (const name of theirs)
        assert.equal((await send(name, `Bearer ${await speaker.bearer()}`)).status, 401, name)
  })

  it('follows from names of every generation, in the same way', async () => {
    const speaker = speakers.find(({ kind }) => kind === 'serviceAccount') ?? assert.fail()
    const bearer = await speaker.bearer()
    const askable = closed.filter((name) => operations[name].callers.includes('serviceAccount'))
    const single = askable.filter((name) => permissionsFor(operations[name], {}).length === 1)
    for (const given of acceptedNames.filter((name) => !currentNames.includes(name))) {
      setRights(speaker, [given])
      const meant = meaningOf(given)
      for (const name of single) {
        const [needed = ''] = operations[name].permissions
        const expected = meant.includes(needed)
          ? { allowed: true }
          : { allowed: false, missing: needed }
        // All that it stands for, and a few of what it does not.
        if (!expected.allowed && single.indexOf(name) % 8 !== 0) continue
        if (routed.has(name))
          assert.deepEqual(await askRouter(speaker, name, bearer), expected, `${given}: ${name}`)
        if (operations[name].userAction && operations[name].changes.item !== 'none')
          assert.deepEqual(await askRules(speaker, name), expected, `${given}: ${name}`)
      }
    }
  })

  it('is asked of every operation that is served', () => {
    const open = operationNames.filter((name) => operations[name].callers.length === 0)
    for (const name of served)
      assert.ok(
        closed.includes(name) ||
          open.includes(name) ||
          operations[name].callers.every((kind) => kind === 'setup' || kind === 'newcomer'),
        name,
      )
  })
})
