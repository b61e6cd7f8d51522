import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'
import { isFailure } from '@quorate/core/failure'
import { trustFrom, Untrusted, type Trust } from './trust.ts'
import { Replay, type Verdict } from './verify-log.ts'

/**
 * Reads an export line by line and verifies it against a pinned genesis: nothing that the file says
 * of itself is believed.
 *
 * @param genesis 32 bytes, as hex
 * @throws Untrusted when the file is none, or does not begin at that genesis
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  genesis: string,
): Promise<Verdict> {
  return (await replayed(lines, genesis)).verdict()
}

/**
 * The full ids of what people call by short names, as far as the export leads without a fault.
 *
 * @throws Untrusted when the file is none, or does not begin at that genesis
 */
export async function idsInExport(
  lines: AsyncIterable<string>,
  genesis: string,
  names: Iterable<string>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const replay = await replayed(lines, genesis)
  const found = [...names].map((name) => [name, replay.idOf(name)] as const)
  return new Map(found.flatMap(([name, id]) => (id === undefined ? [] : [[name, id]])))
}

async function replayed(lines: AsyncIterable<string>, genesis: string): Promise<Replay> {
  let replay: Replay | undefined
  for await (const line of lines) {
    if (line === '') continue
    const entry = read(line)
    if (replay === undefined) replay = new Replay(trustIn(entry, genesis))
    else take(replay, entry)
  }
  if (replay === undefined) throw new Untrusted('The export is empty.')
  return replay
}

function read(line: string): JsonObject {
  try {
    const entry = parseJson(line)
    if (isObject(entry)) return entry
  } catch (error) {
    if (!isFailure(error, 'json.malformed')) throw error
  }
  throw new Untrusted('A line of the export cannot be read.')
}

function trustIn({ format, trust }: JsonObject, genesis: string): Trust {
  if (format !== 'quorate/log/1' || !isObject(trust)) throw new Untrusted('This is no export.')
  return trustFrom(genesis, {
    preimage: text(trust['preimage']),
    payload: text(trust['payload']),
    salt: text(trust['salt']),
    manifest: text(trust['manifest']),
  })
}

function take(replay: Replay, { step, signature }: JsonObject): void {
  if (isObject(step))
    replay.add({ body: text(step['body']), certificate: text(step['certificate']) })
  else if (isObject(signature))
    replay.note({
      request: text(signature['request']),
      digest: Number(signature['digest'] ?? -1),
      signature: text(signature['signature']),
    })
  else throw new Untrusted('A line of the export is of no known kind.')
}

function text(value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new Untrusted('A line of the export lacks a member.')
}
