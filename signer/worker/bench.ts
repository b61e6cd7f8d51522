import { randomBytes } from 'node:crypto'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { decode, encode } from '@quorate/core/codec'
import type { Inbound } from '@quorate/threshold/session'
import { createKey } from '../testing/keys.ts'
import { setUpPair } from '../testing/signing.ts'
import { World } from '../testing/world.ts'
import { answerCodec, jobCodec, toIn, type Job, type Start } from './messages.ts'
import { Sessions } from './sessions.ts'

/**
 * How long a signer keeps votes waiting while pairs are set up: `node signer/worker/bench.ts [setups]`.
 * Both signers of the pairs are in this process, with one worker thread. `here` is the same work in the
 * thread that votes.
 */
const setups = Number(process.argv[2] ?? 16)

for (const where of ['here', 'in the worker'] as const) {
  const world = new World({ real: [1, 2] })
  await world.found()
  const key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
  const body = { network: 'EthereumSepolia', signingKey: { id: key.name } }
  const evidence = world.request({ path: '/wallets', body })
  const { step } = world.draft(world.root, [{ kind: 'wallet', evidence }])
  if (where === 'here') workHere(world)
  await setUpPair(world, 1, 2)

  const delay = monitorEventLoopDelay({ resolution: 1 })
  const waits: number[] = []
  let isOver = false
  const voting = async (): Promise<void> => {
    while (!isOver) {
      const since = performance.now()
      await world.answer(1, world.root, world.propose(world.root, step))
      waits.push(performance.now() - since)
      await setTimeout(5)
    }
  }
  delay.enable()
  const begun = performance.now()
  const votes = voting()
  await Promise.all(Array.from({ length: setups }, () => setUpPair(world, 1, 2)))
  const took = performance.now() - begun
  isOver = true
  await votes
  delay.disable()
  console.log(
    `${setups} setups ${where}: ${took.toFixed(0)} ms; longest stall of the event loop ` +
      `${(delay.max / 1e6).toFixed(1)} ms; longest wait for a vote ${Math.max(...waits).toFixed(1)} ms ` +
      `of ${waits.length}`,
  )
  world.close()
}

function workHere({ worker }: World): void {
  const sessions = new Sessions((size) => new Uint8Array(randomBytes(size)))
  let last = 0
  const ask = async (job: Job) => {
    const answer = sessions.take(encode(jobCodec, job))
    return answer && decode(answerCodec, answer)
  }
  const session = () => {
    const id = ++last
    return {
      begin: (start: Start) => ask({ ...start, id }),
      advance: (inbox: readonly Inbound[]) => ask({ kind: 'advance', id, inbox: inbox.map(toIn) }),
      end: () => void ask({ kind: 'forget', id }),
    }
  }
  Object.assign(worker, { session })
}
