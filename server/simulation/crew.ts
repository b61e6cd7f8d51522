import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { News, Work } from './worlds.ts'

const file = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Several processes, each with seeds and a database of its own, until all are through or it is to stop. */
export async function runCrew(
  { workers, first, count }: Work & { readonly workers: number },
  stopSignal: AbortSignal,
  tell: (news: News) => void,
): Promise<void> {
  const crew = shares({ workers, first, count }).map((work) => startWorker(work, tell))
  const stop = () => crew.forEach(({ process }) => process.kill('SIGTERM'))
  stopSignal.addEventListener('abort', stop)
  try {
    await Promise.all(crew.map(({ ended }) => ended))
  } finally {
    stopSignal.removeEventListener('abort', stop)
    stop()
  }
}

/** @returns for each of them as many as for the others, or one more */
export function shares({
  workers,
  first,
  count,
}: Work & { readonly workers: number }): readonly Work[] {
  const begin = (i: number) => first + Math.floor((i * count) / workers)
  return Array.from({ length: Math.min(workers, count) }, (_, i) => ({
    first: begin(i),
    count: begin(i + 1) - begin(i),
  }))
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
