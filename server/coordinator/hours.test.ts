import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Answered } from '../link/links.ts'
import { Hours } from './hours.ts'

type Pong = (signer: number) => Answered | Promise<Answered>

/** Four signers at noon, of which two cannot both be corrupt, and a server whose clock can be set. */
class Noon {
  ahead = 0
  at = 0
  signers: readonly number[] = [1, 2, 3, 4]
  asked = 0
  readonly lines: string[] = []
  pong: Pong = () => this.says(0)
  private readonly start = Date.UTC(2026, 0, 1, 12)

  says(drift: number | undefined): Answered {
    return { kind: 'pong', time: drift === undefined ? undefined : this.start + this.at + drift }
  }

  readonly hours = new Hours({
    links: {
      connected: () => this.signers,
      call: async (signer) => {
        this.asked += 1
        return this.pong(signer)
      },
    },
    threshold: 2,
    log: {
      warn: (_, message) => void this.lines.push(message),
      error: (context, message) => void this.lines.push(`${message} ${JSON.stringify(context)}`),
    },
    clock: () => this.start + this.at + this.ahead,
    steady: () => this.at,
  })
}

describe('the hours that signers tell a server', () => {
  it('are unknown until they are asked, and then say whose clock is off, and to which side', async () => {
    const noon = new Noon()
    assert.equal(noon.hours.state, 'unsure')
    assert.equal(await noon.hours.ask(), 'right')
    assert.equal(noon.asked, 4)
    for (const [ahead, state] of [
      [5_000, 'right'],
      [5_001, 'ahead'],
      [-5_000, 'right'],
      [-5_001, 'behind'],
    ] as const) {
      noon.ahead = ahead
      // Nobody has to be asked again for it.
      assert.equal(noon.hours.state, state)
    }
  })

  it('are a matter of more than can be corrupt, for either verdict', async () => {
    const noon = new Noon()
    noon.pong = (signer) => noon.says(signer === 1 ? 3_600_000 : 0)
    assert.equal(await noon.hours.ask(), 'right')
    noon.ahead = 3_600_000
    noon.at = 1_001
    assert.equal(await noon.hours.ask(), 'ahead')
    const alone = new Noon()
    alone.signers = [1]
    assert.equal(await alone.hours.ask(), 'unsure')
    await assert.rejects(alone.hours.check(), { code: 'signing.failed' })
  })

  it('are not told by whoever cannot tell them, answers nonsense or does not answer', async () => {
    const noon = new Noon()
    const answers: readonly Answered[] = ['timeout', { kind: 'busy' }, noon.says(undefined)]
    noon.pong = (signer) => answers[signer - 1] ?? noon.says(0)
    assert.equal(await noon.hours.ask(), 'unsure')
  })

  it('prove nothing by an answer that was long on its way', async () => {
    const noon = new Noon()
    noon.pong = () => {
      noon.at += 4_000
      return noon.says(0)
    }
    noon.ahead = 6_000
    await noon.hours.ask()
    noon.ahead = 25_000
    assert.equal(noon.hours.state, 'ahead')
    noon.ahead = 6_000
    assert.equal(noon.hours.state, 'right')
  })

  it('are asked for again while the clock is off, by one for all, and no more than once a second', async () => {
    const noon = new Noon()
    noon.ahead = 60_000
    await Promise.all([noon.hours.ask(), noon.hours.ask()])
    await noon.hours.ask()
    assert.equal(noon.asked, 4)
    noon.at += 1_001
    await noon.hours.ask()
    assert.equal(noon.asked, 8)
    noon.ahead = 0
    await noon.hours.checkKnown()
    assert.equal(noon.asked, 8)
  })

  it('are forgotten after a while', async () => {
    const noon = new Noon()
    await noon.hours.ask()
    noon.at += 60_001
    assert.equal(noon.hours.state, 'unsure')
  })

  it('are told to whoever looks after the server once a minute, and once when all is well', async () => {
    const noon = new Noon()
    noon.ahead = 60_000
    for (let i = 0; i < 3; i++) {
      await assert.rejects(
        noon.hours.checkKnown().then(() => noon.hours.check()),
        {
          code: 'clock.wrong',
          context: { clock: 'ahead' },
        },
      )
      noon.at += 10_000
    }
    noon.at += 40_000
    await noon.hours.ask()
    noon.ahead = 0
    await noon.hours.ask()
    await noon.hours.ask()
    const wrong = 'the clock of this server is wrong: nothing can be agreed on {"clock":"ahead"}'
    assert.deepEqual(noon.lines, [wrong, wrong, 'the clock of this server is right again'])
  })
})
