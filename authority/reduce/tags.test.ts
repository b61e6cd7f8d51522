import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyTable, tagsMax, walletTable } from '../records.ts'
import { Company } from '../testing/company.ts'

const company = new Company()
const { admin, machine } = company

function tagging(
  method: 'PUT' | 'DELETE',
  { id, name }: { readonly id: Uint8Array; readonly name: string },
  tags: unknown,
  author = admin,
) {
  const wish = { method, path: `/wallets/${name}/tags`, body: { tags }, ids: { walletId: id } }
  return { kind: 'tags', evidence: company.ask(author, wish) } as const
}

describe('tags of a wallet', () => {
  it('are added once each, in their order, and taken away again', () => {
    const wallet = company.makeWallet(machine)
    const tags = () => company.find(walletTable, wallet.id)?.tags
    company.apply(tagging('PUT', wallet, ['b', 'a', 'b']))
    company.apply(tagging('PUT', wallet, ['a', 'c']))
    assert.deepEqual(tags(), ['b', 'a', 'c'])
    company.apply(tagging('DELETE', wallet, ['a', 'x']))
    assert.deepEqual(tags(), ['b', 'c'])
  })

  it('are no more than there may be', () => {
    const wallet = company.makeWallet(machine)
    const many = Array.from({ length: tagsMax }, (_, i) => `tag-${i}`)
    company.apply(tagging('PUT', wallet, many))
    assert.equal(company.refusal(tagging('PUT', wallet, ['one'])), `more than ${tagsMax} tags`)
    assert.equal(
      company.refusal(tagging('PUT', wallet, [...many, 'one'])),
      'the tags are not a list',
    )
  })

  it('are printable text of a bounded length', () => {
    const wallet = company.makeWallet(machine)
    const refusals = ['', 'a\nb', 'a\u0085b', 'é'.repeat(51), 7].map((tag) =>
      company.refusal(tagging('PUT', wallet, [tag])),
    )
    assert.deepEqual(
      refusals,
      refusals.map(() => 'a tag is not of 1 to 100 printable bytes'),
    )
    assert.equal(company.refusal(tagging('PUT', wallet, ['é'.repeat(50)])), undefined)
    assert.equal(company.refusal(tagging('DELETE', wallet, 'a')), 'the tags are not a list')
  })

  it('are not the business of end users, or of archived keys', () => {
    const owner = company.makeEndUser()
    const wallet = company.makeWallet(
      machine,
      { delegateTo: owner.name },
      { delegateTo: owner.user },
    )
    assert.equal(
      company.refusal(tagging('PUT', wallet, ['a'], owner)),
      'no caller of this kind may ask for this',
    )
    company.alter(keyTable, [wallet.key], { status: 'archived' })
    assert.equal(company.refusal(tagging('PUT', wallet, ['a'])), 'the key is archived')
  })
})
