import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { News, Work } from './worlds.ts'

const file = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Several processes, each with its part of the work and a database of its own, until all are through or it is to stop. */
export async function runCrew(
  work: Omit<Work, 'worker'>,
  stopSignal: AbortSignal,
  tell: (news: News) => void,
): Promise<void> {
  const crew = Array.from({ length: work.workers }, (_, worker) =>
    startWorker({ ...work, worker }, tell),
  )
  const stop = () => crew.forEach(({ process }) => process.kill('SIGTERM'))
  stopSignal.addEventListener('abort', stop)
  try {
    await Promise.all(crew.map(({ ended }) => ended))
  } finally {
    stopSignal.removeEventListener('abort', stop)
    stop()
  }
}

type Worker = { readonly process: ChildProcess; readonly ended: Promise<void> }

function startWorker(work: Work, tell: (news: News) => void): Worker {
  const process = fork(file, { serialization: 'advanced' })
  process.on('message', (news: News) => tell(news))
  process.send(work)
  const ended = new Promise<void>((resolve, reject) => {
    process.once('error', reject)
    process.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`a worker has ended with ${code ?? signal}`)),
    )
  })
  return { process, ended }
}
