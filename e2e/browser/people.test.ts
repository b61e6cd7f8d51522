import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import type { DfnsApiClient } from '@dfns/sdk'
import type { Browser } from 'playwright-core'
import { passkeyCommand } from '@quorate/cli/passkey'
import { fromHex } from '@quorate/core/bytes'
import { fingerprintWords } from '@quorate/core/words'
import { makePlatform, until, type Platform } from '../platform.ts'
import {
  describeInBrowser,
  openBrowser,
  openPerson,
  screenshotFolder,
  type Person,
} from './chromium.ts'

/** From a mail to a signature and back from a lost device, as two people live it. */
describeInBrowser('people in browsers of their own', () => {
  let platform: Platform
  let browser: Browser
  let baseUrl: string
  let admin: DfnsApiClient
  let alice: Person
  let bob: Person
  /** The 24 words that she wrote down. */
  let paper: readonly string[] = []
  let aliceId = ''

  before(async () => {
    platform = await makePlatform()
    browser = await openBrowser()
    await platform.start()
    baseUrl = platform.bootstrap().baseUrl.replace('127.0.0.1', 'localhost')
    admin = await platform.sdk('administrator')
    alice = await openPerson(browser, baseUrl)
    bob = await openPerson(browser, baseUrl)
  })
  after(async () => {
    await browser.close()
    await platform.remove()
  })

  const mailbox = () => join(platform.dataDir, 'mailbox')
  const texts = () =>
    readdirSync(mailbox())
      .filter((file) => file.endsWith('.json'))
      .map((file) => readFileSync(join(mailbox(), file), 'utf8'))
  /** The link of the newest mail to somebody that leads to this page. */
  const linkTo = async (email: string, page: string): Promise<string> => {
    const link = new RegExp(`${page}#[A-Za-z0-9_.~%&=@-]+`)
    const found = () => texts().findLast((text) => text.includes(email) && link.test(text))
    await until(`a mail to ${email} about ${page}`, 20_000, () => found() !== undefined)
    return link.exec(found() ?? '')?.[0] ?? ''
  }
  const picture = (person: Person, name: string) =>
    person.page.screenshot({ path: join(screenshotFolder(), `${name}.png`), fullPage: true })
  const words = (person: Person, list: string) =>
    person.page.locator(`#${list} li`).allTextContents()

  const invite = async (person: Person, email: string): Promise<string> => {
    const { userId, isRegistered } = await admin.auth.createUser({
      body: { email, kind: 'CustomerEmployee' },
    })
    assert.equal(isRegistered, false)
    await person.open(await linkTo(email, 'register'))
    return userId
  }
  const credentialsOf = async (userId: string) => {
    const { baseUrl: api, administrator } = platform.bootstrap()
    const answer = await fetch(`${api}/auth/users/${userId}/credentials`, {
      headers: { authorization: `Bearer ${administrator.authToken}` },
    })
    const { items } = (await answer.json()) as {
      readonly items: readonly {
        readonly kind: string
        readonly fingerprint: string
        readonly rank: string
      }[]
    }
    return items
  }
  const logIn = async (person: Person, user: string) => {
    await person.open('login')
    await person.page.fill('#org', platform.bootstrap().orgId)
    await person.page.fill('#user', user)
    await person.page.click('#login button[type=submit]')
    await person.page.locator('#inside:visible, #status.bad').first().waitFor()
  }

  it('accept an invitation with a passkey, and read the same six words as who invited them', async () => {
    aliceId = await invite(alice, 'alice@example.test')
    await alice.page.click('#register button[type=submit]')
    await alice.page.locator('#write-down').waitFor()
    paper = await words(alice, 'words')
    assert.equal(paper.length, 24)
    await picture(alice, 'alice-write-down')
    await alice.page.check('#written')
    await alice.page.click('#finish button[type=submit]')
    await alice.page.locator('#done').waitFor()
    const shown = await words(alice, 'fingerprint')
    await picture(alice, 'alice-registered')
    const passkey = (await credentialsOf(aliceId)).find(({ kind }) => kind === 'Fido2')
    assert.ok(passkey)
    assert.deepEqual(shown, fingerprintWords(fromHex(passkey.fingerprint)))
    assert.equal(passkey.rank, 'unconfirmed')
    alice.assertClean()
  })

  it('log in before anybody has confirmed them, and sign nothing', async () => {
    await logIn(alice, 'alice@example.test')
    assert.equal(await alice.page.textContent('#user-id'), aliceId)
    await picture(alice, 'alice-inside')
    await alice.page.click('#add-device')
    await alice.page.locator('#status.bad').waitFor()
    assert.match(await alice.status(), /credential/i)
  })

  it('sign once somebody trusted has given them something to do', async () => {
    const { items } = await admin.permissions.listPermissions({})
    const full = items.find(({ name }) => name === 'ManagedFullAdminAccess')
    assert.ok(full)
    await admin.permissions.createAssignment({
      permissionId: full.id,
      body: { identityId: aliceId },
    })
    const ranks = (await credentialsOf(aliceId)).map(({ rank }) => rank)
    assert.deepEqual(ranks, ['confirmed', 'confirmed'])
    await logIn(alice, 'alice@example.test')
    await alice.page.click('#add-device')
    await alice.page.locator('#device-code').waitFor()
    await picture(alice, 'alice-device-code')
    alice.assertClean()
  })

  it('bring another device by its code, which counts for nothing yet', async () => {
    const code = (await alice.page.textContent('#one-time')) ?? ''
    const phone = await openPerson(browser, baseUrl, { width: 360, height: 740 })
    await phone.open('device')
    await phone.page.fill('#code', code)
    await phone.page.fill('#name', 'phone')
    await phone.page.click('#device button[type=submit]')
    await phone.page.locator('#done').waitFor()
    await picture(phone, 'alice-phone')
    const ranks = (await credentialsOf(aliceId)).map(({ rank }) => rank).toSorted()
    assert.deepEqual(ranks, ['confirmed', 'confirmed', 'unconfirmed'])
    phone.assertClean()
    await phone.close()
  })

  it('are two people on two devices: nobody gets in with what another has', async () => {
    await invite(bob, 'bob@example.test')
    await bob.page.uncheck('#with-recovery')
    await bob.page.click('#register button[type=submit]')
    await bob.page.locator('#done').waitFor()
    bob.assertClean()
    await logIn(bob, 'bob@example.test')
    assert.equal(await bob.page.locator('#inside').isVisible(), true)
    await logIn(bob, 'alice@example.test')
    assert.equal(await bob.page.locator('#inside').isVisible(), false)
    await bob.open('login')
    await bob.page.fill('#org', platform.bootstrap().orgId)
    await bob.page.click('#login button[type=submit]')
    await bob.page.locator('#inside').waitFor()
    assert.equal(await bob.page.textContent('#who'), 'bob@example.test', 'by his passkey alone')
  })

  it('come back from a lost device with a mail and the words on paper', async () => {
    const found = await openPerson(browser, baseUrl)
    await found.open('recover')
    await found.page.fill('#org', platform.bootstrap().orgId)
    await found.page.fill('#user', 'alice@example.test')
    await found.page.click('#send-code')
    await until('she reads that a code is on its way', 20_000, async () =>
      (await found.status()).includes('on its way'),
    )
    await found.open(await linkTo('alice@example.test', 'recover'))
    await found.page.fill('#recovery-words', paper.join(' '))
    await found.page.click('#recover button[type=submit]')
    await found.page.locator('#write-down').waitFor()
    await found.page.check('#written')
    await found.page.click('#finish button[type=submit]')
    await found.page.locator('#done').waitFor()
    await picture(found, 'alice-recovered')
    await logIn(found, 'alice@example.test')
    await found.page.click('#add-device')
    await found.page.locator('#device-code').waitFor()
    found.assertClean()
    await logIn(alice, 'alice@example.test')
    assert.equal(await alice.page.locator('#inside').isVisible(), false, 'the old passkey is over')
    await found.close()
  })

  it('rule with a passkey, which the key of the first start has brought and covered', async () => {
    const chief = await openPerson(browser, baseUrl)
    const said: string[] = []
    const done = passkeyCommand([platform.dataDir], {
      print: (line) => said.push(line),
      ask: async () => 'yes',
    })
    await until('there is a link', 20_000, () =>
      said.some((line) => line.includes('/pages/device')),
    )
    const [, link = ''] = /\/pages\/(device#code=[A-Z0-9-]+)/.exec(said.join(' ')) ?? []
    await chief.open(link)
    await chief.page.fill('#name', 'laptop')
    await chief.page.click('#device button[type=submit]')
    await chief.page.locator('#done').waitFor()
    const shown = await words(chief, 'fingerprint')
    await picture(chief, 'administrator-passkey')
    assert.equal(await done, 0, said.join('\n'))
    assert.ok(said.some((line) => line.endsWith(shown.join(' '))))
    const { username } = platform.bootstrap().administrator
    await logIn(chief, username)
    await chief.page.click('#add-device')
    await chief.page.locator('#device-code').waitFor()
    chief.assertClean()
    await chief.close()
  })
})
