import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below those that systems give to outgoing connections (RFC 6335 has them from 49152, Linux from
 * 32768): one of those may be taken before whoever asked here gets to listen.
 */
const first = 10_000
const count = 20_000
/** So many ports in a row that are taken mean that something else is wrong. */
const attemptsMax = 100

/** A port of the loopback interface that is free now: `wanted` if it is, else any other. */
export async function freePort(wanted?: number): Promise<number> {
  if (wanted !== undefined && (await isFree(wanted))) return wanted
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = first + randomInt(count)
    if (await isFree(port)) return port
  }
  throw new Error('No port of the loopback interface is free.')
}

export async function isFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer()
  const listening = await new Promise<boolean>((resolve, reject) => {
    server.once('listening', () => resolve(true))
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
    )
    server.listen(port, '127.0.0.1')
  })
  if (!listening) return undefined
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return address === null || typeof address === 'string' ? undefined : address.port
}
