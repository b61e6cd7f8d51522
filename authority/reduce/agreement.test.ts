import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Company } from '../testing/company.ts'

describe('an agreement', () => {
  const company = new Company()
  const accept = (id: string, author = company.admin) =>
    ({
      kind: 'agreement',
      evidence: company.ask(author, { path: `/agreements/${id}/accept`, body: {} }),
    }) as const

  it('is accepted by its name', () => {
    assert.deepEqual(company.apply(accept('terms-2026.1')), {
      kind: 'agreement',
      id: 'terms-2026.1',
    })
  })

  it('has a short and plain name', () => {
    for (const id of ['a'.repeat(65), 'a%20b', '%C3%A9'])
      assert.equal(company.refusal(accept(id)), 'the name of the agreement is not well-formed')
  })

  it('is the organization’s business, and no end user’s', () => {
    assert.equal(
      company.refusal(accept('terms', company.makeEndUser())),
      'no caller of this kind may ask for this',
    )
  })
})
