import { toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Step } from '../transfers/outcome.ts'
import type { Planted } from './servers.ts'

/**
 * Faults that somebody could have built into the server, or into server and signers alike, each by
 * another step or statement than the real one. An auditor that does not find them would find nothing.
 */
export const planted = {
  'calls it failed when a node gives no answer': {
    steps: {
      signed: (step) => async (deps, row) => {
        try {
          return await step(deps, row)
        } catch (error) {
          if (!isFailure(error, 'chain.unavailable')) throw error
          const values = { reason: 'the node did not answer' }
          return { kind: 'move', event: 'lapse', values }
        }
      },
    },
  },
  'confirms with the first block': {
    network: (network) => ({ ...network, confirmationsFinal: 1 }),
  },
  'believes a block for ever': {
    steps: {
      included: (step) => async (deps, row) => {
        const { rpc, network } = deps.chain
        const head = Number(await rpc('eth_blockNumber', []))
        const depth = head - (row.block_number ?? head) + 1
        if (depth < network.confirmationsFinal) return { kind: 'wait', why: null }
        return row.block_hash === null ? step(deps, row) : { kind: 'move', event: 'confirm' }
      },
    },
  },
  'takes a block for a payment': {
    steps: {
      included: (step) => async (deps, row) => {
        const outcome = await step(deps, row)
        const isFailed = outcome.kind === 'move' && outcome.event === 'revert'
        return isFailed ? { kind: 'move', event: 'confirm' } : outcome
      },
    },
  },
  'gives up on a fee sponsor that takes its time': {
    steps: {
      signed: (step) => async (deps, row) => {
        const outcome = await step(deps, row)
        if (row.fee_sponsor === null || row.kind === 'sponsorship' || outcome.kind !== 'wait')
          return outcome
        const values = { reason: 'the fee sponsor has not paid' }
        return { kind: 'move', event: 'lapse', values }
      },
    },
  },
  'never sends again': {
    steps: {
      broadcasted: (step) => async (deps, row) => {
        const broadcast = async () => ({ kind: 'known' }) as const
        const adapter = { ...deps.chain.adapter, broadcast }
        return step({ ...deps, chain: { ...deps.chain, adapter } }, row)
      },
    },
  },
  'fails some for nothing': {
    steps: {
      requested: (step) => async (deps, row) => {
        if (row.kind === 'sponsorship' || !isSome(row)) return step(deps, row)
        const values = { reason: 'insufficient funds: 1 needed, 0 available' }
        return { kind: 'move', event: 'refuse', values, freesSlot: true }
      },
    },
  },
  'forgets what it has accepted': {
    steps: {
      broadcasted: (step) => async (deps, row) => {
        if (!isSome(row)) return step(deps, row)
        await deps.database.deleteFrom('outgoing').where('id', '=', row.id).execute()
        return { kind: 'wait', why: null }
      },
    },
  },
  'gives up what its signers have signed': {
    steps: {
      prepared: (step) => async (deps, row) => {
        const outcome = await step(deps, row)
        const isSigned = outcome.kind === 'move' && outcome.event === 'sign'
        if (!isSigned || !isSome(row)) return outcome
        return { kind: 'move', event: 'refuse', values: { reason: 'it was too dear' } }
      },
    },
  },
  'leaves cancellations lying': {
    steps: {
      requested: (step) => async (deps, row) =>
        row.replacement === 'cancellation' ? { kind: 'wait', why: null } : step(deps, row),
    },
  },
  'takes some in, and cannot write it down': {
    statement: (text, values) => {
      const isRow = text.startsWith('insert into "outgoing"')
      const id = values.find((value) => value instanceof Uint8Array && value.length === 32)
      if (isRow && id instanceof Uint8Array && isSome({ id }))
        throw new Failure('chain.unavailable', { network: 'EthereumSepolia' })
      return values
    },
  },
  'stumbles now and then': {
    steps: {
      signed: (step) => async (deps, row) => {
        if (row.attempts === 0 && isSome(row)) throw new TypeError('it is not a function')
        return step(deps, row)
      },
    },
  },
  'takes a retry for another request, as do the signers': {
    statement: eachIdOnce,
    signers: { forgetExternalIds: true },
  },
  'signs anew what it has forgotten, as have the signers': {
    steps: { signed: forgetful },
    signers: { forgetRequests: true },
  },
  'sends what nobody has approved, as do the signers': {
    steps: { asked: () => async () => ({ kind: 'move', event: 'pass' }) },
    signers: { forgetPolicies: true },
  },
} as const satisfies { readonly [name: string]: Planted }

/** The same for servers alone, and no signer is in it. */
export const retriesOfServer: Planted = { statement: eachIdOnce }

/** The same for servers alone, and no signer is in it. */
export const unaskingServer: Planted = {
  steps: { asked: () => async () => ({ kind: 'move', event: 'pass' }) },
}

/** One of three, and the same again. */
function isSome({ id }: { readonly id: Uint8Array }): boolean {
  return (id[0] ?? 0) % 3 === 0
}

/** Under a name of its own each time, no external id was ever there. */
function eachIdOnce(text: string, values: readonly unknown[]): readonly unknown[] {
  if (!text.startsWith('insert into "external_ids"')) return values
  const [name] = values.slice(-1)
  return values.map((value, i) => (i === 3 ? `${String(value)} of ${String(name)}` : value))
}

/** As if its rows came from an old backup: it begins anew whatever a node has not taken at once. */
function forgetful(step: Step): Step {
  return async (deps, row) => {
    const outcome = await step(deps, row).catch((error: unknown) => {
      if (isFailure(error, 'chain.unavailable')) return undefined
      throw error
    })
    if (outcome !== undefined && outcome.kind !== 'wait') return outcome
    const { organization, request, id } = row
    for (const table of ['request_places', 'signatures'] as const)
      await deps.database
        .deleteFrom(table)
        .where('organization', '=', organization)
        .where('request', '=', request)
        .execute()
    const nothing = { slot: null, facts: null, cost: null, signed: null, hash: null }
    await deps.database
      .updateTable('outgoing')
      .set({ ...nothing, state: 'requested', due_at: 0 })
      .where('organization', '=', organization)
      .where('id', '=', id)
      .execute()
    return { kind: 'wait', why: `${toHex(id)} begins anew` }
  }
}
