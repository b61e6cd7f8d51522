import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { readAgreements } from './read.ts'

const terms = {
  id: 'terms-1',
  agreementType: 'TermsAndConditions',
  details: 'Be kind.',
} as const

describe('the operator’s agreements', () => {
  let platform: TestPlatform
  let admin: RawClient
  before(async () => {
    platform = await startTestPlatform({ agreements: [terms, { ...terms, id: 'terms-2' }] })
    admin = rawClient(platform.baseUrl, (await foundCompany(platform)).administrator)
  })
  after(async () => {
    const { differences } = await platform.rebuild()
    await platform.close()
    assert.deepEqual(differences, [])
    assert.deepEqual(platform.unexpected, [])
  })
  const latest = async (type: string) => {
    const path = `/agreements/latest-unaccepted?agreementType=${type}`
    return (await admin.send('GET', path)).body.latestAgreement
  }

  it('are asked for until they are accepted, the newest of a kind', async () => {
    assert.equal((await latest('TermsAndConditions')).id, 'terms-2')
    assert.equal(await latest('PrivacyPolicy'), null)
    const accepted = await admin.call('/agreements/terms-2/accept', {})
    assert.equal(accepted.status, 200)
    assert.equal(accepted.body.agreementId, 'terms-2')
    assert.equal(await latest('TermsAndConditions'), null)
    const again = await admin.call('/agreements/terms-2/accept', {})
    assert.equal(again.body.dateAccepted, accepted.body.dateAccepted)
  })

  it('are those that there are', async () => {
    assert.equal((await admin.call('/agreements/terms-3/accept', {})).status, 404)
  })
})

describe('the file of agreements', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-agreements-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  const reading = (text: string) => {
    const file = join(folder, 'agreements.json')
    writeFileSync(file, text)
    return () => readAgreements(file)
  }

  it('may be missing, and is read as a whole or not at all', () => {
    assert.deepEqual(readAgreements(''), [])
    assert.deepEqual(reading(JSON.stringify([terms]))(), [terms])
    for (const text of ['', '{}', '[{"id":"a b"}]', JSON.stringify([{ ...terms, more: 1 }])])
      assert.throws(reading(text), /agreements/)
  })
})
