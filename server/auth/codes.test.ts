import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { inTransaction } from '../database/database.ts'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { findPerson, usernameOf, type Person } from '../users/person.ts'
import {
  issueCredentialCode,
  proveCode,
  proveCredentialCode,
  sendCode,
  useCode,
  type MailedPurpose,
} from './codes.ts'

let platform: TestPlatform
let company: Company
let person: Person
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  const found = await findPerson(platform.database, {
    orgId: company.orgId,
    username: ' ADMIN@example.test\n',
    kinds: ['employee'],
  })
  assert.ok(found)
  person = found
})
after(() => platform.close())

const minuteMs = 60_000
const invalid = { code: 'code.invalid' }

function addressee(purpose: MailedPurpose, username = person.username) {
  const isKnown = usernameOf(username) === person.username
  return { orgId: company.orgId, username, purpose, person: isKnown ? person : undefined }
}

async function sentCode(purpose: MailedPurpose): Promise<string> {
  await sendCode(platform.deps, addressee(purpose))
  const { values_json } = await platform.database
    .selectFrom('mails')
    .select('values_json')
    .where('template', 'like', `%${purpose === 'registration' ? 'invitation' : purpose}%`)
    .orderBy('created_at', 'desc')
    .executeTakeFirstOrThrow()
  return JSON.parse(values_json ?? '').code
}

/** Past every window. */
function wait(ms = 15 * minuteMs): void {
  platform.clock.ahead += ms
}

describe('a one-time code', () => {
  it('goes out by mail, and in rows there is only its hash', async () => {
    const code = await sentCode('login')
    assert.match(code, /^[0-9]{4}(-[0-9]{4}){3}$/)
    const rows = await platform.database.selectFrom('one_time_codes').selectAll().execute()
    assert.ok(!JSON.stringify(rows).includes(code))
    // Nor the plain hash, which a table of all codes would find again.
    assert.ok(rows.every(({ hash }) => Buffer.compare(hash, sha256(toUtf8(code))) !== 0))
    wait()
  })

  it('proves its reader as often as he begins again, or just once where it is used', async () => {
    const given = { ...addressee('login'), code: await sentCode('login') }
    await proveCode(platform.deps, given)
    assert.equal((await useCode(platform.deps, given)).userId, person.userId)
    await assert.rejects(useCode(platform.deps, given), invalid)
    await assert.rejects(proveCode(platform.deps, given), invalid)
    wait()
  })

  it('is for one purpose and one person', async () => {
    const code = await sentCode('login')
    await sentCode('recovery')
    await assert.rejects(proveCode(platform.deps, { ...addressee('recovery'), code }), invalid)
    const nobody = addressee('login', 'nobody@example.test')
    await assert.rejects(proveCode(platform.deps, { ...nobody, code }), invalid)
    wait()
  })

  it('is not good for another purpose either when somebody moves its row', async () => {
    const code = await sentCode('login')
    await platform.database.deleteFrom('one_time_codes').where('purpose', '=', 'recovery').execute()
    await platform.database
      .updateTable('one_time_codes')
      .set({ purpose: 'recovery' })
      .where('purpose', '=', 'login')
      .execute()
    await assert.rejects(proveCode(platform.deps, { ...addressee('recovery'), code }), invalid)
    wait()
  })

  it('ends with the next one', async () => {
    const [first, second] = [await sentCode('recovery'), await sentCode('recovery')]
    await assert.rejects(
      proveCode(platform.deps, { ...addressee('recovery'), code: first }),
      invalid,
    )
    await proveCode(platform.deps, { ...addressee('recovery'), code: second })
    wait()
  })

  it('expires: after minutes where somebody waits for it, after a week where he is invited', async () => {
    const lives = [
      ['login', 15 * minuteMs],
      ['recovery', 15 * minuteMs],
      ['registration', 7 * 24 * 60 * minuteMs],
    ] as const
    for (const [purpose, lifeMs] of lives) {
      const given = { ...addressee(purpose), code: await sentCode(purpose) }
      wait(lifeMs - 2_000)
      await proveCode(platform.deps, given)
      wait(2_000)
      await assert.rejects(proveCode(platform.deps, given), { code: 'code.expired' })
      await assert.rejects(proveCode(platform.deps, { ...given, code: '1-2-3-4' }), invalid)
      wait()
    }
  })

  it('can be guessed at ten times in a while, and then not even the right one helps', async () => {
    for (const username of [person.username, 'nobody@example.test']) {
      const right = await sentCode('login')
      const guess = (code: string) =>
        proveCode(platform.deps, { ...addressee('login', username), code })
      for (let i = 0; i < 10; i++) await assert.rejects(guess('0000-0000-0000-0000'), invalid)
      await assert.rejects(guess(right), { code: 'attempts.exceeded' })
      wait()
      if (username === person.username) await assert.rejects(guess(right), { code: 'code.expired' })
      wait()
    }
  })

  it('is sent five times in a while, to somebody and to nobody alike', async () => {
    for (const username of [person.username, 'nobody@example.test']) {
      const send = () => sendCode(platform.deps, addressee('registration', username))
      for (let i = 0; i < 5; i++) assert.deepEqual(await send(), { message: 'success' })
      await assert.rejects(send(), { code: 'attempts.exceeded' })
      wait()
      await send()
      wait()
    }
  })

  it('is answered no sooner for nobody than for somebody', async () => {
    for (const username of [person.username, 'nobody@example.test']) {
      const began = performance.now()
      await sendCode(platform.deps, addressee('recovery', username))
      assert.ok(performance.now() - began >= 240, username)
    }
    wait()
  })

  it('leaves no counters behind once their window is over', async () => {
    await sendCode(platform.deps, addressee('login', 'nobody@example.test'))
    wait()
    await sendCode(platform.deps, addressee('login', 'nobody@example.test'))
    const rows = await platform.database.selectFrom('attempts').selectAll().execute()
    assert.equal(rows.length, 1)
  })
})

describe('a code for another device', () => {
  const request = new Uint8Array(32).fill(5)
  const issue = () =>
    inTransaction(platform.database, (transaction) =>
      issueCredentialCode(transaction, {
        ...{ organization: person.organization, user: person.user, request },
        expiresAt: platform.deps.now() + minuteMs,
      }),
    )

  it('says by itself whose it is, until its minute is over', async () => {
    const code = await issue()
    assert.match(code, /^[A-Z2-9]{3}-[A-Z2-9]{3}-[A-Z2-9]{3}$/)
    const { user, request: made } = await proveCredentialCode(platform.deps, code.toLowerCase())
    assert.deepEqual([user, made], [person.user, request])
    wait(minuteMs)
    await assert.rejects(proveCredentialCode(platform.deps, code), { code: 'code.expired' })
  })

  it('is guessed at by everybody together, a thousand times in a minute', async () => {
    const code = await issue()
    await assert.rejects(proveCredentialCode(platform.deps, 'AAA-AAA-AAA'), invalid)
    await platform.database.updateTable('attempts').set({ count: 1000 }).execute()
    const full = { code: 'attempts.exceeded' }
    for (const tried of ['AAA-AAA-AAA', code])
      await assert.rejects(proveCredentialCode(platform.deps, tried), full)
  })
})
