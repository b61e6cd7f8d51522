import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Random } from './random.ts'
import { type Fate, Schedule } from './schedule.ts'

describe('a call whose fate is to arrive late', () => {
  const begin = async (fate: Fate) => {
    const schedule = new Schedule(new Random('late'))
    schedule.fateOf = () => fate
    const life = { server: 0, isAlive: true }
    const heard: string[] = []
    const done: string[] = []
    let now = 1
    const send = () => {
      const at = now
      return () => void done.push(`sent at ${at}, arrived at ${now}`)
    }
    schedule.start({ life, step: 'send' }, async () => {
      const asked = { side: 'node', place: 'take', isWrite: true } as const
      const late = { to: 'a node', sent: send }
      await schedule
        .call({ ...asked, run: () => void done.push('arrived'), late })
        .then(() => heard.push('answer'))
        .catch((error: unknown) => heard.push(schedule.isLoss(error) ? 'loss' : 'error'))
    })
    await schedule.advance()
    now = 2
    return { schedule, life, heard, done }
  }

  it('is lost for whoever has made it, and is made all the same, as it was sent', async () => {
    const { schedule, heard, done } = await begin('late')
    assert.deepEqual([heard, done], [['loss'], []])
    await schedule.arriveAll('another node')
    assert.deepEqual(done, [])
    await schedule.arriveAll('a node')
    await schedule.arriveAll()
    assert.deepEqual(done, ['sent at 1, arrived at 2'])
  })

  it('arrives though its sender is dead', async () => {
    const { schedule, life, done } = await begin('late')
    await schedule.kill(life)
    await schedule.arriveAll()
    assert.deepEqual(done, ['sent at 1, arrived at 2'])
  })

  it('is no other than those that are answered or lost', async () => {
    for (const [fate, heard, made] of [
      ['answered', 'answer', 1],
      ['lost before', 'loss', 0],
      ['lost after', 'loss', 1],
    ] as const) {
      const played = await begin(fate)
      await played.schedule.arriveAll()
      assert.deepEqual([played.heard, played.done.length], [[heard], made])
    }
  })
})
