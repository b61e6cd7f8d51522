import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compose, readMail, type Mail } from './templates.ts'

const person = { orgId: 'or-1', organization: 'Example & Co', username: 'ada+x@example.test' }
const code = '1234-5678-9012-3456'
const until = Date.UTC(2026, 0, 2, 3, 4)
const mails: readonly Mail[] = [
  { template: 'invitation', values: { ...person, code, until } },
  { template: 'login-code', values: { ...person, code, until } },
  { template: 'recovery-code', values: { ...person, code, until } },
  { template: 'recovery-notice', values: { ...person, recoveryId: 're-1', effectiveAt: until } },
  { template: 'recovery-effective', values: { ...person, at: until } },
  { template: 'recovery-cancelled', values: { ...person, recoveryId: 're-1', at: until } },
  { template: 'credential-added', values: { ...person, name: 'Phone', words: 'a b c', at: until } },
  { template: 'device-code', values: { ...person, code, until } },
  {
    template: 'approval-wanted',
    values: { ...person, approvalId: 'ap-1', what: 'the use of a wallet', until },
  },
  {
    template: 'approval-resolved',
    values: { ...person, approvalId: 'ap-1', what: 'a new policy', how: 'Denied', at: until },
  },
]
const pagesUrl = 'https://wallets.example.test'

describe('a mail', () => {
  it('has its code in the fragment of its link, and a server sees none of it', () => {
    const pages = { invitation: 'register', 'recovery-code': 'recover', 'device-code': 'device' }
    for (const mail of mails) {
      const { text } = compose(mail, pagesUrl)
      const [found] = /https:\S+/.exec(text) ?? []
      if (found === undefined) continue
      const { pathname, search, hash } = new URL(found)
      assert.equal(search, '')
      const values = new URLSearchParams(hash.slice(1))
      assert.deepEqual([values.get('org'), values.get('user')], ['or-1', 'ada+x@example.test'])
      if (mail.template === 'recovery-notice') assert.equal(pathname, '/pages/cancel')
      else assert.equal(pathname, `/pages/${Object(pages)[mail.template]}`)
      if ('code' in mail.values) assert.equal(values.get('code'), code)
    }
  })

  it('says until when, and to whom it is', () => {
    for (const mail of mails) {
      const { subject, text } = compose(mail, pagesUrl)
      assert.match(text, /2026-01-02 03:04 UTC/)
      assert.match(text, /Example & Co/)
      assert.doesNotMatch(subject, /Example|ada/)
    }
  })

  it('keeps foreign names on their line', () => {
    const organization = 'Evil\r\n\r\nYour code: 0000\u2028\u202egnp.exe'
    const values = { ...person, organization, code, until }
    const { text } = compose({ template: 'login-code', values }, pagesUrl)
    assert.match(text, /^Somebody logs in to Evil Your code: 0000 gnp\.exe as /)
  })

  it('comes back from its row as it was, and nothing else does', () => {
    for (const mail of mails)
      assert.deepEqual(readMail(mail.template, JSON.stringify(mail.values)), mail)
    assert.throws(() => readMail('toString', '{}'), /no template/)
    assert.throws(() => readMail('login-code', '{}'))
    const more = { ...person, code, until, more: 1 }
    assert.throws(() => readMail('login-code', JSON.stringify(more)))
  })
})
