import { signStatement, type Request } from '@quorate/authority/agreement/exchange'
import {
  certificateOf,
  lockOf,
  type Certificate,
  type Lock,
  type PromiseProof,
  type Signed,
  type Statement,
  type Vote,
} from '@quorate/authority/agreement/messages'
import { signAs } from '@quorate/signer/testing/cluster'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { some, toldAnswer, type World } from '@quorate/signer/testing/world'
import { at, attack, gone, without, type Attack, type Check, type Outcome } from './attack.ts'
import type { Cast } from './cast.ts'
import { corrupt, forge, honest, statedBy, watched } from './drive.ts'
import { fresh, type Stage } from './stage.ts'

/** Votes, locks and certificates that are fewer, older or about something else than they seem. */

const messages = (reason: string, code: string) =>
  at('authority/agreement/messages.ts', reason, code)
export const voter = (reason: string, code = reason) =>
  at('authority/agreement/voter.ts', reason, code)
const noVotes = 'these are not q votes for one step of this stream'
const noSeals = 'these are not q seals for one step of this stream'

/** A payment that is in order, and those who have voted for it honestly. */
type Open = {
  readonly world: World
  readonly place: Place
  readonly drafted: Drafted
  /** Of the honest signers, in their order. */
  readonly votes: readonly Signed<Vote>[]
  /** The corrupt signer's. */
  readonly mine: Signed<Vote>
}

function payment(stage: Stage, of: Cast['wallet']): { place: Place; drafted: Drafted } {
  const place = stage.placeOf(of)
  const evidence = stage.transfer(stage.admin, of)
  return { place, drafted: forge(stage.world, { place, asked: [{ kind: 'use', evidence }] }) }
}

async function opened({ stage, wallet }: Pick<Cast, 'stage' | 'wallet'>): Promise<Open> {
  const { world } = stage
  const { place, drafted } = payment(stage, wallet)
  const votes: Signed<Vote>[] = []
  for (const index of honest) {
    const answer = await world.answer(index, place, world.propose(place, drafted.step))
    const vote = statedBy(answer, 'vote')
    if (vote === undefined) throw new Error(toldAnswer(answer))
    votes.push(vote)
  }
  return { world, place, drafted, votes, mine: world.vote(corrupt, place, drafted.step) }
}

/** What the honest signers make of it; whoever has moved on by it shows in `changed`. */
function shown(
  world: World,
  place: Place,
  request: Request,
  indexes: readonly number[] = honest,
): Promise<Outcome> {
  return watched(world, async () => {
    const [refusals, counts]: [string[], { votes: number; seals: number }] = [
      [],
      { votes: 0, seals: 0 },
    ]
    for (const index of indexes) {
      const answer = await world.answer(index, place, request)
      if (statedBy(answer, 'vote') !== undefined) counts.votes++
      else if (statedBy(answer, 'seal') !== undefined) counts.seals++
      else refusals.push(toldAnswer(answer))
    }
    return { ...counts, refusals, lastRounds: 0, isSigned: false }
  })
}

/** Shows everybody a lock or certificate that it made of what it got; then lets all be in order. */
const making = (
  name: string,
  check: Check,
  make: (open: Open) => Lock | Certificate,
  isVariant = false,
): Attack =>
  attack(
    name,
    check,
    async (cast) => {
      const open = await opened(cast)
      const { world, place, drafted } = open
      const { step } = drafted
      const made = make(open)
      const outcome = await shown(
        world,
        place,
        made.kind === 'lock'
          ? { kind: 'lock', lock: made, step }
          : { kind: 'certificate', certificate: made, step },
      )
      await world.certify(place, drafted)
      return outcome
    },
    { isVariant },
  )

export const enough = gone(messages(noVotes, 'members.length >= trust.q &&'))
const eachOnce = gone(messages(noVotes, 'areAscending(signers) &&'))
const eachSigned = without(messages(noVotes, 'members.every((member) => verifySigned(member,'), [
  'members.every((member) => verifySigned(member, trust))',
  'trust.q > 0',
])
const ofThisEpoch = gone(
  messages(noVotes, 'equalBytes(statement.manifestHash, trust.manifestHash) &&'),
)

const quorums: readonly Attack[] = [
  making('has a step sealed with one vote too few', enough, ({ votes, mine }) =>
    lockOf(some([...votes.slice(0, 1), mine])),
  ),
  making('counts the vote of the corrupt signer twice', eachOnce, ({ votes, mine }) =>
    lockOf(some([...votes.slice(0, 1), mine, mine])),
  ),
  making('puts the name of an honest signer on a vote of its own', eachSigned, (open) =>
    lockOf(some([...open.votes.slice(0, 1), spokenBy(3, open.mine), open.mine])),
  ),
  making(
    'passes votes off as seals',
    { ...eachSigned, reason: noSeals },
    ({ votes, mine }) => ({ ...lockOf(some([...votes, mine])), kind: 'certificate' }),
    true,
  ),
  making(
    'has a step adopted with one seal too few',
    { ...enough, reason: noSeals },
    ({ world, place, drafted }) => certificateOf(some([world.seal(corrupt, place, drafted.step)])),
    true,
  ),
  making(
    'counts votes that were given under the manifest of another epoch',
    ofThisEpoch,
    ({ world, mine }) => {
      const manifestHash = fresh()
      // The very keys of honest signers: they are the same in every epoch.
      const votes = [1, 2, 3].map((signer) =>
        signStatement({ ...mine.statement, signer, manifestHash }, (message) =>
          signAs(world.cluster, signer, message),
        ),
      )
      return lockOf(some(votes as Signed<Vote>[]))
    },
  ),
  attack(
    'brings the votes of one stream to another',
    gone(voter(noVotes, '!isAbout(lock, agreement) ||')),
    async ({ stage }) => {
      const [wallet, another] = [await ownWallet(stage), await ownWallet(stage)]
      const { world, place, drafted, votes, mine } = await opened({ stage, wallet })
      const lock = lockOf(some([...votes, mine]))
      const other = stage.placeOf(another)
      const outcome = await shown(world, other, { kind: 'lock', lock, step: drafted.step })
      await world.certify(place, drafted)
      return outcome
    },
  ),
  attack(
    'brings the certificate of one stream to another',
    gone(voter(noSeals, '!isAbout(certificate, agreement) ||')),
    async ({ stage }) => {
      const [wallet, another] = [await ownWallet(stage), await ownWallet(stage)]
      const { world, place, drafted } = await opened({ stage, wallet })
      const certificate = await world.certify(place, drafted)
      const request = { kind: 'certificate', certificate, step: drafted.step } as const
      return shown(world, stage.placeOf(another), request)
    },
  ),
]

/** Whose stream nothing else stands in: what is done to its ballots is nobody's concern. */
const ownWallet = (stage: Stage) => stage.createWallet(stage.admin)

/** A corrupt signer's word with another's name on it. */
function spokenBy<S extends Statement>(signer: number, { statement, signature }: Signed<S>) {
  return { statement: { ...statement, signer }, signature }
}

const forks: readonly Attack[] = [
  attack(
    'has two payments voted for at one place',
    without(voter('another step has this vote'), [
      'if (state.vote?.ballot === ballot)\n',
      'if (state.vote?.ballot === ballot && equalBytes(state.vote.stepHash, step.hash))\n',
    ]),
    async ({ stage, wallet }) => {
      const { world, place, drafted } = await opened({ stage, wallet })
      const other = payment(stage, wallet).drafted
      const outcome = await shown(world, place, world.propose(place, other.step))
      await world.certify(place, drafted)
      return outcome
    },
  ),
  attack(
    'lives in two worlds, and tells two signers of two payments at one place',
    enough,
    async ({ stage }) => {
      const wallet = await ownWallet(stage)
      const { world } = stage
      const [here, there] = [payment(stage, wallet), payment(stage, wallet)]
      const { place } = here
      const outcomes: Outcome[] = []
      for (const [index, { drafted }] of [
        [1, here],
        [2, there],
      ] as const) {
        const { step } = drafted
        const answer = await world.answer(index, place, world.propose(place, step))
        const vote = statedBy(answer, 'vote')
        if (vote === undefined) throw new Error(toldAnswer(answer))
        const lock = lockOf(some([vote, world.vote(corrupt, place, step)]))
        outcomes.push(await shown(world, place, { kind: 'lock', lock, step }, [index]))
      }
      await decideAgain(stage, wallet, here.drafted)
      return total(outcomes)
    },
    { isVariant: true },
  ),
  attack(
    'asks again for votes in a later ballot that nobody has opened',
    without(voter('nothing shows that this ballot is open'), [
      "if (!opened.ok) return refuse(state, 'closed', 'nothing shows that this ballot is open')\n  const { only } = opened",
      'const only = opened.ok ? opened.only : undefined',
    ]),
    async ({ stage, wallet }) => {
      const { world, place, drafted } = await opened({ stage, wallet })
      const other = payment(stage, wallet).drafted
      const outcome = await shown(world, place, world.propose(place, other.step, 1))
      await world.certify(place, drafted)
      return outcome
    },
  ),
  attack(
    'has another payment voted for in a ballot whose promises show a lock',
    without(voter('a promise shows a lock on another step'), [
      'if (only !== undefined && !equalBytes(only, step.hash))',
      'if (false)',
    ]),
    async ({ stage }) => {
      const wallet = await ownWallet(stage)
      const { world, place, drafted, votes, mine } = await opened({ stage, wallet })
      const { step } = drafted
      const lock = lockOf(some([...votes, mine]))
      for (const index of honest) await world.answer(index, place, { kind: 'lock', lock, step })
      const promises = await promised(world, place, { seq: step.seq, ballot: 1 })
      const other = payment(stage, wallet).drafted
      const propose = { ...world.propose(place, other.step, 1), promises }
      const outcome = await shown(world, place, propose)
      await settle(world, place, { drafted, promises })
      return outcome
    },
  ),
  attack(
    'asks a signer that has sealed one payment to vote for another',
    without(voter('another step is locked in this ballot'), [
      'if (state.lock?.ballot === ballot && !equalBytes(state.lock.stepHash, step.hash))',
      'if (false)',
    ]),
    async ({ stage }) => {
      const wallet = await ownWallet(stage)
      const { world } = stage
      const { place, drafted } = payment(stage, wallet)
      const { step } = drafted
      // The third signer is asked for a seal before anybody has asked it for a vote.
      const votes = [world.vote(corrupt, place, step)]
      for (const index of [1, 2]) {
        const vote = statedBy(await world.answer(index, place, world.propose(place, step)), 'vote')
        if (vote !== undefined) votes.push(vote)
      }
      await world.answer(3, place, { kind: 'lock', lock: lockOf(some(votes)), step })
      const other = payment(stage, wallet).drafted
      const outcome = await shown(world, place, world.propose(place, other.step), [3])
      await world.certify(place, drafted)
      return outcome
    },
  ),
  attack(
    'has a step sealed that it shows to nobody',
    without(voter('the locked step is not here'), [
      "if (step === undefined) return refuse(state, 'body_missing', 'the locked step is not here')",
      '',
    ]),
    async ({ stage, wallet }) => {
      const { world } = stage
      const { place, drafted } = payment(stage, wallet)
      const { step } = drafted
      const lock = world.lockBy([1, 2, corrupt], place, step)
      return shown(world, place, { kind: 'lock', lock, step: undefined })
    },
  ),
  attack(
    'shows a later step before the one that it follows',
    gone(
      voter('behind', "if (seq > nextSeq(state)) return headAnswer('behind', agreement, state)"),
    ),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        change: (step) => ({ ...step, seq: step.seq + 1 }),
      }),
  ),
]

function total(outcomes: readonly Outcome[]): Outcome {
  const sum = (of: 'votes' | 'seals' | 'lastRounds' | 'changed') =>
    outcomes.reduce((all, one) => all + one[of], 0)
  return {
    refusals: outcomes.flatMap(({ refusals }) => refusals),
    ...{ votes: sum('votes'), seals: sum('seals'), lastRounds: sum('lastRounds') },
    ...{ isSigned: outcomes.some(({ isSigned }) => isSigned), changed: sum('changed') },
  }
}

/** The promises of the honest signers to look at nothing below this ballot, with what they show. */
async function promised(
  world: World,
  place: Place,
  { seq, ballot }: { readonly seq: number; readonly ballot: number },
): Promise<PromiseProof[]> {
  const headCertificate = world.ledger.of(place.stream).at(-1)?.certificate
  const promises: PromiseProof[] = []
  for (const index of honest) {
    const answer = await world.answer(index, place, {
      kind: 'ballot',
      seq,
      ballot,
      headCertificate,
    })
    if (answer.kind !== 'promise') throw new Error(toldAnswer(answer))
    const { statement, signature, lock } = answer
    if (statement.kind === 'promise') promises.push({ statement, signature, lock })
  }
  return promises
}

/** After a split vote, as an honest server goes on: a new ballot for one of the two. */
async function decideAgain(stage: Stage, of: Cast['wallet'], drafted: Drafted): Promise<void> {
  const { world } = stage
  const place = stage.placeOf(of)
  const promises = await promised(world, place, { seq: drafted.step.seq, ballot: 1 })
  await settle(world, place, { drafted, promises })
}

/** Brings the step into force in the ballot that these promises open. */
async function settle(
  world: World,
  place: Place,
  { drafted, promises }: { readonly drafted: Drafted; readonly promises: readonly PromiseProof[] },
): Promise<void> {
  const { step, writes } = drafted
  const ballot = 1
  for (const index of honest)
    await world.answer(index, place, { ...world.propose(place, step, ballot), promises })
  const certificate = world.certificateBy([1, 2, 3], place, step, ballot)
  for (const index of world.indexes) await world.adopt(index, place, { certificate, step })
  world.ledger.add(place.stream, { step, certificate, writes })
}

export const agreements: readonly Attack[] = [...quorums, ...forks]
