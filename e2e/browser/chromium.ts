import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'
import { settings } from '../settings.ts'

/** Where Debian puts it. Downloads of browsers by a test are no part of this. */
const executablePath = '/usr/bin/chromium'

/** Tests that want a browser. Where there is none, a test by their name is skipped and so counted. */
export function describeInBrowser(name: string, tests: () => void): void {
  const skip = whyNoBrowser()
  if (skip === false) describe(name, tests)
  else it(name, { skip }, () => assert.fail('it is skipped'))
}

function whyNoBrowser(): string | false {
  if (existsSync(executablePath)) return false
  const reason = `SKIPPED: no ${executablePath}, so that nothing of the pages is tested in a browser`
  process.stderr.write(`${reason}. Install it: apt-get install chromium\n`)
  return reason
}

/** As little as possible that a browser does by itself; the rest is switched off by Playwright. */
const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const launchMsMax = 60_000
/** Signatures of a whole platform are a second or two on a busy machine. */
const patienceMs = 20_000

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: flags,
    headless: true,
    // Its sandbox wants namespaces that containers often do not give to root.
    chromiumSandbox: false,
    timeout: launchMsMax,
  })
}

/** One person: a browser profile with an authenticator that nobody else has. */
export type Person = {
  readonly page: Page
  readonly authenticator: Authenticator
  /** Opens a page of ours, such as `register#org=or-…`. */
  open(name: string): Promise<void>
  /** What a person reads at last: the status line. */
  status(): Promise<string>
  /** Fails when anything has gone wrong on a page that no test has asked for. */
  assertClean(): void
  close(): Promise<void>
}

export type Authenticator = {
  /** Whether it finds its user's finger, face or PIN to be right. */
  setUserVerified(isVerified: boolean): Promise<void>
  credentialCount(): Promise<number>
}

export type Look = {
  readonly colorScheme?: 'light' | 'dark'
  readonly width?: number
  readonly height?: number
}

export async function openPerson(
  browser: Browser,
  baseUrl: string,
  { colorScheme = 'light', width = 1000, height = 900 }: Look = {},
): Promise<Person> {
  const context = await browser.newContext({ colorScheme, viewport: { width, height } })
  const page = await context.newPage()
  page.setDefaultTimeout(patienceMs)
  const troubles: string[] = []
  page.on('pageerror', (error) => troubles.push(`threw ${error.message}`))
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) troubles.push(`said ${message.text()}`)
  })
  page.on('requestfailed', (request) => {
    // Who leaves a page gives up what it was still asking for.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') {
      troubles.push(`could not load ${request.url()}`)
    }
  })
  const session = await context.newCDPSession(page)
  return {
    page,
    authenticator: await addAuthenticator(session),
    open: async (name) => {
      // The same page with another fragment would not be loaded again.
      await page.goto('about:blank')
      await page.goto(`${baseUrl}/pages/${name}`)
    },
    status: async () => (await page.textContent('#status')) ?? '',
    assertClean: () => assert.deepEqual(troubles.splice(0).filter(isTrouble), []),
    close: () => context.close(),
  }
}

/** The browser itself says so of every answer that is a refusal; pages show those in words. */
function isTrouble(text: string): boolean {
  return !text.startsWith('said Failed to load resource: the server responded with a status of 4')
}

/** The kind that is built into phones and laptops. */
async function addAuthenticator(session: CDPSession): Promise<Authenticator> {
  await session.send('WebAuthn.enable')
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    setUserVerified: async (isUserVerified) => {
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified })
    },
    credentialCount: async () =>
      (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
  }
}

let folder: string | undefined

/** Pictures for whoever looks; `QUORATE_TEST_SCREENSHOTS` names a folder that is kept. */
export function screenshotFolder(): string {
  if (settings.screenshotFolder !== undefined) return settings.screenshotFolder
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'quorate-pages-'))
    folder = made
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return folder
}
