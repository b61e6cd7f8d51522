import { randomBytes } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { handOver } from './messages.ts'
import { Sessions } from './sessions.ts'

/** What runs in the worker thread: one job after the other. What it throws ends it (`worker.ts`). */
const sessions = new Sessions((size) => new Uint8Array(randomBytes(size)))

parentPort?.on('message', (job: Uint8Array) => {
  const answer = sessions.take(job)
  if (answer !== undefined && parentPort !== null) handOver(parentPort, answer)
})
