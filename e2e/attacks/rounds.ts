import type { SessionCall, SessionReply } from '@quorate/wire/link'
import type { Packet } from '@quorate/wire/packet'
import { carry, everybody, told, type Endings, type Key } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { roundsOf, signCall, type SignCall } from '@quorate/signer/testing/signing'
import type { WholeEvidence } from '@quorate/authority/step'
import type { Answer } from '@quorate/authority/agreement/exchange'
import { lockOf, type Seal, type Signed, type Vote } from '@quorate/authority/agreement/messages'
import { some, toldAnswer } from '@quorate/signer/testing/world'
import { at, attack, gone, without, type Attack, type Check, type Outcome } from './attack.ts'
import { corrupt, forge, honest, isMade, statedBy } from './drive.ts'
import { word } from './mailbox.ts'
import type { Actor, Stage, Wallet } from './stage.ts'

/** The rounds of a signature by themselves, with all that comes between them. */

const gate = (reason: string, code = reason) => at('signer/ceremonies/gates.ts', reason, code)
const ceremony = (reason: string, code: string) => at('signer/ceremonies/ceremony.ts', reason, code)
/** All that was agreed on was in order, and every honest signer has said yes to it. */
export const agreed = { votesMax: honest.length, sealsMax: honest.length }

type Signing = { readonly place: Place; readonly drafted: Drafted; readonly key: Key }

/** A use in force, whose shares nobody has asked for yet. */
export async function inForce(
  stage: Stage,
  evidence: WholeEvidence,
  of: { readonly key: Key },
): Promise<Signing> {
  const { world } = stage
  const place = stage.placeOf(of)
  const drafted = forge(world, { place, asked: [{ kind: 'use', evidence }] })
  await world.certify(place, drafted)
  return { place, drafted, key: of.key }
}

/** The first honest signer and the corrupt one go through the rounds; something comes between them. */
export async function signed(
  stage: Stage,
  { place, drafted, key }: Signing,
  between: () => Promise<void> = async () => undefined,
): Promise<Outcome> {
  const { world } = stage
  const quorum = [1, corrupt]
  const packets = new Map<number, Packet[]>()
  const keep = (endings: Endings): Endings => {
    for (const [index, reply] of endings)
      if (reply.kind === 'packet') packets.set(index, [...(packets.get(index) ?? []), reply.packet])
    return endings
  }
  const call = signCall(place, drafted, { quorum })
  let replies = keep(await everybody(world, (index) => world.session(index, call), quorum))
  for (let round = 1; round < roundsOf(key); round++) {
    if (round === roundsOf(key) - 1) await between()
    const next = await carry(world, replies, { roundsMax: 2 })
    if (next === replies) break
    replies = keep(next)
  }
  const isLast = packets.get(1)?.length === roundsOf(key)
  const operation = drafted.body.items[0]?.operation
  const message = operation && 'digests' in operation ? operation.digests[0] : undefined
  const isSigned = isLast && message !== undefined && isMade(key, quorum, { message, packets })
  return {
    ...nothing(replies.get(1)),
    lastRounds: isLast ? 1 : 0,
    isSigned,
  }
}

export function nothing(reply: SessionReply | undefined): Outcome {
  const refusals = reply !== undefined && 'reason' in reply ? [told(reply)] : []
  return { refusals, votes: 0, seals: 0, lastRounds: 0, isSigned: false, changed: 0 }
}

/** Something happens between the rounds of a payment that is in force. */
const interrupted = (
  name: string,
  check: Check,
  between: (stage: Stage, by: Actor, wallet: Wallet) => Promise<void>,
): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const wallet = await stage.createWallet(stage.admin)
      const signing = await inForce(stage, stage.transfer(carl, wallet), wallet)
      return signed(stage, signing, () => between(stage, carl, wallet))
    },
    agreed,
  )

/** What one honest signer says to calls that the server makes up. */
const calling = (
  name: string,
  check: Check,
  calls: (call: SignCall) => readonly SessionCall[],
): Attack =>
  attack(
    name,
    check,
    async ({ stage, wallet }) => {
      const { place, drafted } = await inForce(stage, stage.transfer(stage.admin, wallet), wallet)
      const call = signCall(place, drafted, { quorum: [1, corrupt] })
      let reply: SessionReply | undefined
      for (const one of calls(call)) reply = await stage.world.session(1, one)
      return { ...nothing(reply), lastRounds: reply?.kind === 'packet' ? 1 : 0 }
    },
    agreed,
  )

/** After so many rounds, the packets of the first once more: to hear two answers to one secret. */
const replaying = (name: string, check: Check, roundsMax: number): Attack =>
  attack(
    name,
    check,
    async ({ stage, wallet }) => {
      const { world } = stage
      const { place, drafted } = await inForce(stage, stage.transfer(stage.admin, wallet), wallet)
      const quorum = [1, corrupt]
      const call = signCall(place, drafted, { quorum })
      const first = await everybody(world, (index) => world.session(index, call), quorum)
      await carry(world, first, { roundsMax })
      return nothing((await carry(world, first, { roundsMax: 2 })).get(1))
    },
    agreed,
  )

export const rounds: readonly Attack[] = [
  attack(
    'asks for the last round of a payment that is sealed and not yet in force',
    without(
      gate('the step is sealed here', 'if (body === undefined || !needed.includes(standing))'),
      ['|| !needed.includes(standing)', ''],
    ),
    async ({ stage, wallet }) => {
      const { world } = stage
      const place = stage.placeOf(wallet)
      const evidence = stage.transfer(stage.admin, wallet)
      const drafted = forge(world, { place, asked: [{ kind: 'use', evidence }] })
      await sealed(stage, place, drafted)
      const outcome = await signed(stage, { place, drafted, key: wallet.key })
      await world.certify(place, drafted)
      return outcome
    },
    agreed,
  ),
  attack(
    'hoards a certificate until its window has passed',
    gone(
      gate('the execution window has passed', 'if (now.time > body.step.time + windowMs)'),
      " return no('the execution window has passed')",
    ),
    async ({ stage, wallet }) => {
      const signing = await inForce(stage, stage.transfer(stage.admin, wallet), wallet)
      stage.world.pass(windowMs + 1_000)
      return signed(stage, signing)
    },
    agreed,
  ),
  interrupted(
    'keeps a signature open before its last round until the window has passed',
    gone(
      ceremony('the session has expired', 'if (found.expires < now.time)'),
      " return ended(found, refused('the session has expired'))",
    ),
    async (stage) => stage.world.pass(windowMs + 1_000),
  ),
  interrupted(
    'takes the last round of one who was deactivated after the first',
    gone(gate('the user is not active', 'if (!judged.ok)'), ' return no(judged.reason)'),
    async (stage, { user, name }) => {
      const wish = { method: 'PUT', path: `/auth/users/${name}/deactivate`, body: {} }
      await stage.put('userStatus', stage.ask(stage.admin, { ...wish, ids: { userId: user } }))
    },
  ),
  interrupted(
    'takes the last round of a key that the second mailbox has frozen meanwhile',
    without(gate('the key is frozen', 'withStatements(store, organization,'), [
      'withStatements(store, organization, sealedAtRoot(deps, organization))',
      'sealedAtRoot(deps, organization)',
    ]),
    async (stage, _by, { key }) => {
      const frozen = word(stage, stage.admin, { kind: 'freezeKey', target: key.id })
      for (const index of honest) stage.world.member(index).signer.accept(frozen)
    },
  ),
  calling(
    'opens one signature twice, to see two answers under one name',
    without({ ...at('signer/ceremonies/sign.ts', 'this session has been') }, [
      "    return refused('this session has been')",
      ';',
    ]),
    (call) => [call, call],
  ),
  calling(
    'asks for a share for a quorum that is none',
    gone(
      at(
        'signer/ceremonies/sign.ts',
        'not a quorum with this signer',
        'if (!isQuorum(deps, call.quorum))',
      ),
      " return refused('not a quorum with this signer')",
    ),
    (call) => [{ ...call, quorum: [1, 2, corrupt] }],
  ),
  calling(
    'asks for a share of a second digest that nobody has agreed to',
    gone(
      at(
        'signer/ceremonies/sign.ts',
        'there is nothing to be signed',
        'if (message === undefined || key === undefined)',
      ),
      " return refused('there is nothing to be signed')",
    ),
    (call) => [{ ...call, digest: 1 }],
  ),
  replaying(
    'answers the second round of a signature with the packets of the first',
    gone(
      at(
        'signer/ceremonies/mail.ts',
        'a packet is not what its sender signed',
        'if (opened === undefined)',
      ),
      " return spoilt('a packet is not what its sender signed')",
    ),
    2,
  ),
  replaying(
    'goes on with a signature that has come to its end',
    gone(
      ceremony('no such session is open', 'if (found === undefined)'),
      " return refused('no such session is open')",
    ),
    3,
  ),
]

export const windowMs = 60_000

/** Voted for and sealed by every signer, and the certificate is kept back: it could be made of these. */
export async function sealed(
  { world }: Stage,
  place: Place,
  { step }: Drafted,
): Promise<Signed<Seal>[]> {
  const votes: Signed<Vote>[] = []
  for (const index of world.indexes) {
    const answer = await world.answer(index, place, world.propose(place, step))
    votes.push(statedBy(answer, 'vote') ?? refusedBy(answer))
  }
  const lock = lockOf(some(votes))
  const seals: Signed<Seal>[] = []
  for (const index of world.indexes) {
    const answer = await world.answer(index, place, { kind: 'lock', lock, step })
    seals.push(statedBy(answer, 'seal') ?? refusedBy(answer))
  }
  return seals
}

function refusedBy(answer: Answer): never {
  throw new Error(toldAnswer(answer))
}
