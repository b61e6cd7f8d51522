import { streamCodec } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Evidence } from '@quorate/authority/step'
import type { Server } from './servers.ts'
import type { World } from './world.ts'

type Value = 'Approved' | 'Denied'
const [leftChance, denialChance] = [0.15, 0.25]

/** Whoever is asked for approvals: says once what he thinks of each, and again until it is heard. */
export class Approver {
  private readonly world: World
  /** He has no doubts any more. */
  isWilling = false
  /** By the name of the approval; some are left to expire. */
  private readonly decisions = new Map<string, Evidence | 'left'>()

  constructor(world: World) {
    this.world = world
  }

  /** @param isLast nothing is left any more */
  decide(server: Server, approval: ApprovalRow, { isLast }: { readonly isLast: boolean }): void {
    const { approval_id: name, organization } = approval
    const thought = this.decisions.get(name) ?? this.think(approval)
    const decision = thought === 'left' && isLast ? this.signed(approval, 'Approved') : thought
    this.decisions.set(name, decision)
    if (decision === 'left') return
    const stream = decode(streamCodec, approval.stream)
    server.run('decide', async () => {
      await server.deps.coordinator.settle({
        ...{ organization, kind: 'decision', evidence: decision, stream },
      })
    })
  }

  private think(approval: ApprovalRow): Evidence | 'left' {
    const { random } = this.world
    if (this.isWilling) return this.signed(approval, 'Approved')
    if (random.happens(leftChance)) return 'left'
    return this.signed(approval, random.happens(denialChance) ? 'Denied' : 'Approved')
  }

  /** From then on whoever has it may use it. */
  private signed({ id, approval_id: name, request }: ApprovalRow, value: Value): Evidence {
    const { client, hardships, time: now } = this.world
    client.ids.set(name, id)
    const path = `/v2/policy-approvals/${name}/decisions`
    const evidence = client.evidence({ path, body: { value, reason: 'so be it' }, now })
    const decision = { request: toHex(request), isApproval: value === 'Approved', at: now }
    hardships.sawDecision(evidence, decision)
    return evidence
  }
}
