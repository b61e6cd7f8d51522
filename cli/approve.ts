import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { decideApproval, visible, type Approval, type Decision } from '@quorate/client/approval'
import { Misled } from '@quorate/client/check-request'
import { ApiError, openSession } from '@quorate/client/session'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import type { Terminal } from './freeze.ts'

const usage = `usage: QUORATE_TOKEN=<token> quorate approve <base url> <approval id> with
  --genesis <64 hex digits>   of the organization
  --cred <credential id>      whose key signs
  --key <credential.pem>      signs
  --reason <text>             is kept with the decision`

const text = { type: 'string' } as const
const options = { genesis: text, cred: text, key: text, reason: text }

/**
 * `quorate approve`: shows what is to be approved, worked out on this machine from what was signed
 * for it, and signs yes or no for just that.
 *
 * @returns the exit code: 1 when nothing was decided
 */
export async function approveCommand(
  args: readonly string[],
  authToken: string | undefined,
  { print, ask }: Terminal,
): Promise<number> {
  const wanted = authToken === undefined ? undefined : read(args, authToken)
  if (wanted === undefined) {
    print(usage)
    return 2
  }
  const { approvalId, reason, session } = wanted
  const organization = wanted.organization
  try {
    const decided = await decideApproval(session, { approvalId, organization }, (approval) =>
      look(approval, reason, { print, ask }),
    )
    print(decided === undefined ? 'nothing was decided' : 'decided')
    return decided === undefined ? 1 : 0
  } catch (error) {
    if (!(error instanceof Misled || error instanceof ApiError)) throw error
    print(visible(error.message))
    return 1
  }
}

async function look(
  { words, initiator, policies, expiresAt, request }: Approval,
  reason: string | undefined,
  { print, ask }: Terminal,
): Promise<Decision | undefined> {
  for (const line of words) print(line)
  print(`asked for by ${initiator}`)
  print(`held by ${policies.join(', ')}`)
  print(`to be decided before ${new Date(expiresAt).toISOString()}`)
  print(`to be carried out before ${new Date(request.executeBefore).toISOString()}`)
  const answer = await ask('approve, deny, or nothing? ')
  const value = answer === 'approve' ? 'Approved' : answer === 'deny' ? 'Denied' : undefined
  return value && { value, ...(reason === undefined ? {} : { reason }) }
}

function read(args: readonly string[], authToken: string) {
  const parsed = parsedOrNothing(args)
  if (parsed === undefined) return undefined
  const { values, positionals } = parsed
  const [baseUrl, approvalId, ...more] = positionals
  const { genesis, cred: credId, key, reason } = values
  if (baseUrl === undefined || approvalId === undefined || more.length > 0) return undefined
  if (credId === undefined || key === undefined || !/^[0-9a-f]{64}$/.test(genesis ?? ''))
    return undefined
  const organization = idOf(fromHex(genesis ?? ''), 'organization')
  const privateKey = readFileSync(key, 'utf8')
  const session = openSession({ baseUrl, authToken, credId, privateKey, organization })
  return { approvalId, organization, reason, session }
}

function parsedOrNothing(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
