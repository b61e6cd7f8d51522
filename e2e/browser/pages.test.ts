import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it } from 'node:test'
import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import type { Browser } from 'playwright-core'
import { readAttestation, type GivenAttestation } from '@quorate/authority/attestation'
import { fingerprintOf } from '@quorate/authority/credential'
import { challengeOf, commitTo, encodePreimage, type Preimage } from '@quorate/authority/request'
import { fromBase64url, toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { fingerprintWords } from '@quorate/core/words'
import { makePlatform, type Platform, until } from '../platform.ts'
import {
  describeInBrowser,
  openBrowser,
  openPerson,
  screenshotFolder,
  type Person,
} from './chromium.ts'

const names = ['register', 'login', 'device', 'recover', 'cancel', 'mailbox'] as const
const looks = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', width: 360, height: 740 },
} as const

describeInBrowser('the pages in a browser', () => {
  let platform: Platform
  let browser: Browser
  let baseUrl: string
  let person: Person
  before(async () => {
    platform = await makePlatform()
    browser = await openBrowser()
    await platform.start()
    baseUrl = platform.bootstrap().baseUrl.replace('127.0.0.1', 'localhost')
    person = await openPerson(browser, baseUrl)
  })
  after(async () => {
    await browser.close()
    await platform.remove()
  })

  /** Runs in the page, with the page's own modules: `body` has `asked`, and answers JSON. */
  const inPage = (body: string, asked: unknown): Promise<Parsed> =>
    person.page.evaluate(`(async (asked) => {${body}})(${JSON.stringify(asked)})`)

  it('show themselves without a fault, by day, by night and on a phone', async (test) => {
    const folder = screenshotFolder()
    mkdirSync(folder, { recursive: true })
    for (const [look, options] of Object.entries(looks)) {
      const viewer = await openPerson(browser, baseUrl, options)
      for (const name of names) {
        await viewer.open(name)
        await viewer.page.locator('h1:visible').waitFor()
        for (const part of await viewer.page.evaluate<readonly string[]>(showPart('start'))) {
          await viewer.page.evaluate(showPart(part))
          const scrolls = 'document.documentElement.scrollWidth > window.innerWidth'
          assert.equal(await viewer.page.evaluate(scrolls), false, `${name} sideways on ${look}`)
          const path = join(folder, `${name}-${part}-${look}.png`)
          await viewer.page.screenshot({ path, fullPage: true })
        }
      }
      viewer.assertClean()
      await viewer.close()
    }
    assert.ok(existsSync(join(folder, 'register-write-down-dark.png')))
    test.diagnostic(`pictures in ${folder}`)
  })

  it('have a label for every field, and say what happens where a reader hears it', async () => {
    for (const name of names) {
      await person.open(name)
      const unlabelled = await person.page.evaluate(`
        [...document.querySelectorAll('input, textarea')]
          .filter((field) => field.labels.length !== 1)
          .map(({ id }) => id)`)
      assert.deepEqual(unlabelled, [], name)
      const live = await person.page.getAttribute('#status', 'aria-live')
      assert.equal(live, 'polite')
    }
    person.assertClean()
  })

  it('run no script but ours, and a test that looks for violations finds one', async () => {
    await person.open('login')
    await person.page.evaluate(`
      const style = document.createElement('style')
      style.textContent = 'body { color: red }'
      document.head.append(style)`)
    assert.throws(() => person.assertClean(), /Content Security Policy/)
    await assert.rejects(
      person.page.evaluate("document.body.innerHTML = '<b>markup</b>'"),
      /TrustedHTML/,
    )
    assert.throws(() => person.assertClean(), /TrustedHTML/)
  })

  /** A page is there before its script has run. */
  const hasCode = (code: string) =>
    until(
      'the code is filled in',
      20_000,
      async () => (await person.page.inputValue('#code')) === code,
    )

  it('show what would have been mailed, as text, with links to themselves alone', async () => {
    const link = `${baseUrl}/pages/register#org=or-1&code=1234`
    const text = `Open it:\n\n${link}\n\nhttps://evil.example/ <img src=x onerror=alert(1)>\n`
    const mail = { id: '1', to: 'ada@example.test', subject: '<b>Hello</b>', text, createdAt: 1 }
    writeFileSync(join(platform.dataDir, 'mailbox', '000-1.json'), JSON.stringify(mail))
    await person.open('mailbox')
    await person.page.locator('article').waitFor()
    assert.equal(await person.page.textContent('article h2'), '<b>Hello</b>')
    assert.equal(await person.page.textContent('article .letter'), text)
    assert.deepEqual(await person.page.locator('article a').allTextContents(), [link])
    await person.page.click('article a')
    await person.page.locator('#register').waitFor()
    await hasCode('1234')
    person.assertClean()
  })

  it('take codes out of the address at once, and fill them in', async () => {
    await person.open('register#org=or-1&user=ada%2Bx%40example.test&code=1234-5678')
    await hasCode('1234-5678')
    assert.equal(await person.page.inputValue('#user'), 'ada+x@example.test')
    assert.equal(person.page.url(), `${baseUrl}/pages/register`)
  })

  it('make passkeys and sign with them as independent code understands it', async () => {
    await person.open('register')
    const challenge = toBase64url(randomBytes(32))
    const origin = baseUrl
    const made = await inPage(
      `const { createPasskey } = await import('/pages/webauthn.js')
      const { fingerprintWords } = await import('/pages/fingerprint.js')
      const { credential, spki } = await createPasskey(asked, 'Passkey')
      const bytes = Array.from(new Uint8Array(spki))
      return { credential, bytes, words: await fingerprintWords(spki) }`,
      newPasskey('us-1', challenge),
    )
    const { credId, clientData, attestationData } = made.credential.credentialInfo
    const expected = {
      // Official clients encode the challenge a second time, and so do we.
      expectedChallenge: toBase64url(toUtf8(challenge)),
      expectedOrigin: origin,
      expectedRPID: 'localhost',
    }
    const registered = await verifyRegistrationResponse({
      ...expected,
      response: {
        ...{ id: credId, rawId: credId, type: 'public-key', clientExtensionResults: {} },
        response: { clientDataJSON: clientData, attestationObject: attestationData },
      },
    })
    assert.ok(registered.verified)
    const read = readAttestation(bytesOf('Fido2', made.credential), {
      ...{ challenge, verification: 'verified' },
      relyingParties: [{ id: 'localhost', origins: [origin] }],
    })
    assert.ok(read.ok)
    assert.deepEqual([...read.spki], made.bytes)
    assert.deepEqual(made.words, fingerprintWords(fingerprintOf(read.spki)))

    const signed: Parsed = await person.page.evaluate(signIn(challenge))
    const { signature, authenticatorData, userHandle, ...rest } = signed.credentialAssertion
    assert.equal(Buffer.from(userHandle, 'base64url').toString(), 'us-1')
    const authenticated = await verifyAuthenticationResponse({
      ...expected,
      credential: registered.registrationInfo.credential,
      response: {
        ...{ id: rest.credId, rawId: rest.credId, type: 'public-key', clientExtensionResults: {} },
        response: { clientDataJSON: rest.clientData, signature, authenticatorData, userHandle },
      },
    })
    assert.ok(authenticated.verified)
    person.assertClean()
  })

  it('keep two people apart, and sign for nobody whose device does not know him', async () => {
    const people = [await openPerson(browser, baseUrl), await openPerson(browser, baseUrl)]
    const challenge = toBase64url(randomBytes(32))
    const signed = (one: Person): Promise<Parsed> => one.page.evaluate(signIn(challenge))
    for (const [i, one] of people.entries()) {
      await one.open('login')
      await one.page.evaluate(createFor(`us-${i}`, challenge))
      assert.equal(await one.authenticator.credentialCount(), 1)
    }
    for (const [i, one] of people.entries()) {
      const { credentialAssertion } = await signed(one)
      assert.equal(credentialAssertion.userHandle, toBase64url(toUtf8(`us-${i}`)))
      await one.authenticator.setUserVerified(false)
      await assert.rejects(signed(one), /NotAllowedError/)
      one.assertClean()
      await one.close()
    }
  })

  it('have words for a fingerprint that are those of the core', async () => {
    await person.open('register')
    const keys = Array.from({ length: 20 }, () => [...randomBytes(44)])
    const inBrowser = await inPage(
      `const { fingerprintWords } = await import('/pages/fingerprint.js')
      return Promise.all(asked.map((bytes) => fingerprintWords(new Uint8Array(bytes))))`,
      keys,
    )
    assert.deepEqual(
      inBrowser,
      keys.map((bytes) => fingerprintWords(fingerprintOf(new Uint8Array(bytes)))),
    )
  })

  it('make recovery keys that their words bring back, and notice a wrong word', async () => {
    await person.open('recover')
    const challenge = toBase64url(randomBytes(32))
    const made = await inPage(
      `const { makeRecoveryKey, readRecoveryKey, recoveryCredential, recoveryAssertion } =
        await import('/pages/recovery-key.js')
      const key = await makeRecoveryKey()
      const again = await readRecoveryKey(' ' + key.words.join(',\\n').toUpperCase() + ' ')
      const credential = await recoveryCredential(key, asked)
      const assertion = await recoveryAssertion(again, { any: 'thing' })
      const refusals = []
      const rest = key.words.slice(1)
      for (const list of [rest, ['quorate', ...rest]])
        await readRecoveryKey(list.join(' ')).catch(({ message }) => refusals.push(message))
      let noticed = 0
      for (const word of ['zoo', 'abandon', 'lamp', 'ocean', 'table', 'river', 'stone', 'cloud'])
        await readRecoveryKey([word, ...rest].join(' ')).catch(() => noticed++)
      return { credId: again.credId, credential, assertion, refusals, noticed }`,
      challenge,
    )
    const given = bytesOf('RecoveryKey', made.credential)
    assert.equal(given.credId, made.credId)
    const expected = { challenge, relyingParties: [], verification: 'none' } as const
    const read = readAttestation(given, expected)
    assert.ok(read.ok && read.proven)
    const key = createPublicKey({ key: Buffer.from(read.spki), format: 'der', type: 'spki' })
    const { credentialAssertion } = made.assertion
    const vouched = Buffer.from(credentialAssertion.clientData, 'base64url')
    assert.ok(verify(null, vouched, key, Buffer.from(credentialAssertion.signature, 'base64url')))
    const { type, challenge: inner } = JSON.parse(vouched.toString())
    assert.deepEqual(
      [type, Buffer.from(inner, 'base64url').toString()],
      ['key.get', '{"any":"thing"}'],
    )
    assert.match(made.refusals.join('\n'), /these are 23[^]*Word 1, “quorate”, is not in the list/)
    // One in 256 wrong words goes unnoticed here; the server knows no such key.
    assert.ok(made.noticed >= 6)
  })

  it('sign nothing that is not what they ask for', async () => {
    await person.open('login')
    const payload = '{"expiration":1}'
    const path = '/auth/credentials/code'
    const asked = { purpose: 'action', method: 'POST', path, payload }
    const right = initFor({ purpose: 'action', path }, payload)
    const cases = {
      'the very request': [right, asked],
      'another purpose': [initFor({ purpose: 'login', path }, payload), asked],
      'another path': [initFor({ purpose: 'action', path: '/keys' }, payload), asked],
      'another method': [initFor({ purpose: 'action', path, method: 'DELETE' }, payload), asked],
      'another body': [initFor({ purpose: 'action', path }, '{"expiration":2}'), asked],
      'another salt': [{ ...right, salt: toHex(randomBytes(32)) }, asked],
      'another challenge': [{ ...right, challenge: toBase64url(randomBytes(32)) }, asked],
      'no pre-image': [{ challenge: right.challenge }, asked],
      'a login with a token': [
        initFor({ purpose: 'login', path }, ''),
        { purpose: 'login', method: 'POST', path, payload: '' },
      ],
    } as const
    const outcomes = await inPage(
      `const { checkChallenge } = await import('/pages/preimage.js')
      return Promise.all(asked.map(([init, expected]) =>
        checkChallenge(init, expected).then(() => 'signs', ({ message }) => message)))`,
      Object.values(cases),
    )
    for (const [i, name] of Object.keys(cases).entries()) {
      const signs = ['the very request', 'a login with a token'].includes(name)
      if (signs) assert.equal(outcomes[i], 'signs', name)
      else assert.match(outcomes[i], /^Nothing was signed: /, name)
    }
  })
})

/** A part of a page as its scripts leave it, with texts as long as they become. */
const showPart = (part: string) => `(async () => {
  const { show, say } = await import('/pages/page.js')
  const { words } = await import('/pages/words.js')
  for (const list of document.querySelectorAll('ol.words')) {
    const count = list.classList.contains('six') ? 6 : 24
    const longest = words.filter(({ length }) => length === 8).slice(0, count)
    list.replaceChildren(...longest.map((word) => {
      const item = document.createElement('li')
      item.textContent = word
      return item
    }))
  }
  for (const empty of document.querySelectorAll('dd:empty, strong:empty, .mono:empty'))
    if (!empty.matches('input')) empty.textContent = 'a-long-name-of-somebody@wallets.example.com'
  for (const notice of document.querySelectorAll('.notice')) notice.hidden = false
  show('${part}')
  say('The server says no: the request is not valid', 'bad')
  return [...document.querySelectorAll('main > section')].map(({ id }) => id)
})()`

const createFor = (id: string, challenge: string) => `(async () => {
  const { createPasskey } = await import('/pages/webauthn.js')
  await createPasskey(${JSON.stringify(newPasskey(id, challenge))}, 'Passkey')
})()`

const signIn = (challenge: string) => `(async () => {
  const { signWithPasskey } = await import('/pages/webauthn.js')
  const init = { challenge: '${challenge}', userVerification: 'required' }
  return signWithPasskey({ ...init, allowCredentials: { webauthn: [] } })
})()`

/** The answer to the begin of a registration, as far as a browser is concerned. */
const newPasskey = (id: string, challenge: string) => ({
  challenge,
  user: { id, name: 'ada', displayName: 'Ada' },
  authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  attestation: 'none',
  pubKeyCredParams: [-7, -257].map((alg) => ({ type: 'public-key', alg })),
  excludeCredentials: [],
})

/** As loose as JSON is: what it must hold is what the tests say. */
type Parsed = ReturnType<typeof JSON.parse>

/** A credential as the server decodes it. */
function bytesOf(kind: GivenAttestation['kind'], credential: Parsed): GivenAttestation {
  const { credId, clientData, attestationData } = credential.credentialInfo
  return {
    ...{ kind, credId, clientData: fromBase64url(clientData) },
    attestationData: fromBase64url(attestationData),
  }
}

/** As the server answers, with everything that may be left out in it. */
function initFor(asked: Pick<Preimage, 'purpose' | 'path'> & Partial<Preimage>, payload: string) {
  const salt = new Uint8Array(randomBytes(32))
  const hash = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    ...{ organization: hash, user: hash, token: { id: hash, kind: 'Pat' }, method: 'POST' },
    ...{ verification: 'none', subjects: [], maxFee: 5n, nonce: hash },
    ...{ issuedAt: 1, signBefore: 2, executeBefore: 3 },
    ...asked,
    ...commitTo(payload, salt),
  })
  return {
    challenge: challengeOf(preimage),
    preimage: toBase64url(preimage),
    salt: toHex(salt),
  }
}
