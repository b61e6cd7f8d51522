import { concatAll, fromUtf8 } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Rpc } from './adapter.ts'

export type NodeOptions = {
  /** May carry a provider's key: it appears in no error and no log. */
  readonly url: string
  /** For messages alone. */
  readonly network: string
  readonly timeoutMs?: number
  readonly answerBytesMax?: number
}

/** A node under load answers a whole block in a second or two; past this, another is the better bet. */
const timeoutMsDefault = 10_000
/** A full block with its transactions stays below 10 MB on the largest EVM networks. */
const answerBytesMaxDefault = 16 * 1024 * 1024
/** A receipt has all logs of its transaction, as the list of a block has, and some more. */
const receiptBytesMore = 64 * 1024
/** What a contract answers, in hex: strangers write contracts, and a call for little gas can answer a million characters. */
const callBytesMax = 160 * 1024
/** The reason of a refusal that is ours: whatever the node has to say, it is too much. */
export const answerTooLong = 'the answer is too long'
/** What a node says about a refusal, as far as a message needs it. */
const reasonLengthMax = 300

/**
 * JSON-RPC 2.0 over HTTP: one request, one answer.
 * @throws Failure `chain.unavailable` when there is no answer that can be read, `chain.refused` when the
 * answer is an error, or too long
 */
export function httpNode(options: NodeOptions): Rpc {
  let lastId = 0
  return async (method, params) => {
    const id = ++lastId
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
    const answer = await post({ ...options, answerBytesMax: bytesMaxOf(method, options) }, body)
    if (answer['id'] !== id) throw new Failure('chain.unavailable', { network: options.network })
    if (answer['error'] !== undefined && answer['error'] !== null)
      throw new Failure('chain.refused', {
        network: options.network,
        reason: reasonOf(answer['error']),
        ...codeOf(answer['error']),
      })
    return answer['result']
  }
}

function bytesMaxOf(
  method: string,
  { answerBytesMax = answerBytesMaxDefault }: NodeOptions,
): number {
  if (method === 'eth_call') return Math.min(answerBytesMax, callBytesMax)
  return method === 'eth_getTransactionReceipt' ? answerBytesMax + receiptBytesMore : answerBytesMax
}

async function post(options: NodeOptions, body: string): Promise<Record<string, unknown>> {
  const { url, network, timeoutMs = timeoutMsDefault } = options
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // Elsewhere could be anywhere: a node is where its operator says.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await readBody(response, options)
    // Some nodes answer errors with a status of their own; the body is what counts.
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== 'object' || answer === null) throw new TypeError('not an object')
    return { ...answer }
  } catch (error) {
    if (isFailure(error, 'chain.refused')) throw error
    throw new Failure('chain.unavailable', { network }, { cause: withoutUrl(error) })
  }
}

/** One that is too long would be so again: that is a refusal, and no reason to leave the node alone. */
async function readBody(
  response: Response,
  { network, answerBytesMax = answerBytesMaxDefault }: NodeOptions,
): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > answerBytesMax)
      throw new Failure('chain.refused', { network, reason: answerTooLong })
    parts.push(part)
  }
  return fromUtf8(concatAll(parts))
}

/** The message of `fetch` repeats the address in some cases, and a parser's the text. */
function withoutUrl(error: unknown): Error {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? ` ${String(cause.code)}` : ''
  return new Error(`${error instanceof Error ? error.name : 'unknown'}${code}`)
}

function codeOf(error: unknown): { readonly code?: number } {
  const code =
    typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'number' && Number.isSafeInteger(code) ? { code } : {}
}

function reasonOf(error: unknown): string {
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined
  if (typeof message !== 'string') return 'no reason given'
  // A contract may have written it: no table takes all of what that can be, nor does a page show it.
  return message.slice(0, reasonLengthMax).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}
