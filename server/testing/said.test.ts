import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Failure } from '@quorate/core/failure'
import { startTestPlatform } from './platform.ts'
import { assertUnderstood, defectsIn, lineOf } from './said.ts'

const refused = new Failure('request.refused', { reason: 'no' })

describe('what is said in a test', () => {
  it('is a line with the whole of an error, of which JSON leaves nothing', () => {
    const line = lineOf({ err: new TypeError('x is not a function', { cause: refused }) }, 'a step')
    assert.match(line, /^a step .*TypeError: x is not a function.*said\.test\.ts.*since Failure/)
    assert.equal(lineOf({ id: 'tr-1' }, 'a step'), 'a step {"id":"tr-1"}')
  })

  it('and is left at its end, fails it', async () => {
    assertUnderstood([])
    assert.throws(() => assertUnderstood(['a step failed']), /no test has taken out/)
    const platform = await startTestPlatform()
    platform.unexpected.push({ err: new TypeError() })
    await assert.rejects(platform.close(), /no test has taken out/)
  })

  it('by a process that is killed, is a defect where it is wrong itself', () => {
    const defect = lineOf({ err: new TypeError('x') }, 'resume')
    const step = lineOf({ err: refused }, 'a step failed')
    const assertion = 'AssertionError [ERR_ASSERTION]: there is a row'
    const said = `${lineOf({ err: refused }, 'resume')}\n${defect}\n${step}\n${assertion}\nready\n`
    assert.deepEqual(defectsIn(said), [defect, step, assertion])
    assert.deepEqual(defectsIn('error: terminating connection due to administrator command'), [])
  })
})
