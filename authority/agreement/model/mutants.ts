import { equalBytes } from '@quorate/core/bytes'
import { type Opening, type PromiseProof, type Trust, verifyPromise } from '../messages.ts'
import {
  type Agreement,
  type VoterState,
  headHash,
  onBallot,
  onCertificate,
  onLock,
  onPropose,
} from '../voter.ts'
import { type Rules, soundRules } from './world.ts'

/**
 * Voters with one rule broken each, by what they are told, never by a switch in the voter itself.
 * The adversary has to find a fork with every one of them: that is what makes its silence about
 * the sound rules worth something.
 */
export const mutants = {
  'the promises behind a proposal are ignored': {
    ...soundRules,
    onPropose: (agreement, state, proposal, judge) =>
      proposal.ballot === 0
        ? onPropose(agreement, state, proposal, judge)
        : onPropose(
            credulous(agreement),
            state,
            { ...proposal, promises: emptyPromises(agreement, state, proposal.ballot) },
            judge,
          ),
  },
  'votes and seals are overwritten in one ballot': {
    ...soundRules,
    onPropose: overwriteVote,
    onLock: (agreement, state, request, judge) =>
      onLock(agreement, { ...state, lock: undefined }, request, judge),
  },
  'a lock is sealed below the promised ballot': {
    ...soundRules,
    onLock: (agreement, state, request, judge) => {
      const ballot = Math.min(state.ballot, request.lock.ballot)
      const outcome = onLock(agreement, { ...state, ballot }, request, judge)
      const kept = Math.max(state.ballot, outcome.state.ballot)
      return { ...outcome, state: { ...outcome.state, ballot: kept } }
    },
  },
  'one promise fewer than q opens a ballot': {
    ...soundRules,
    onPropose: (agreement, state, proposal, judge) =>
      onPropose(
        trusting(agreement, { ...agreement.trust, q: agreement.trust.q - 1 }),
        state,
        proposal,
        judge,
      ),
  },
  'a lock is taken for a certificate': {
    ...soundRules,
    onePhase: true,
    onCertificate: (agreement, state, request) =>
      onCertificate(credulous(agreement), state, request),
  },
  'a promise forgets its lock': {
    ...soundRules,
    onBallot: (agreement, state, request) =>
      onBallot(agreement, { ...state, lock: undefined }, request),
  },
} as const satisfies Record<string, Rules>

/**
 * A second vote in one ballot does not fork by itself: two locks of one ballot bind nobody, and
 * nobody seals both. It takes the stream's life instead, so it is a violation of its own.
 */
export const stuckMutants = {
  'a vote is overwritten in one ballot': { ...soundRules, onPropose: overwriteVote },
  'a restored signer speaks where the others have not voted yet': {
    ...soundRules,
    abstainUpTo: (reported) => (reported === 0 ? undefined : reported - 1),
  },
} as const satisfies Record<string, Rules>

/** Only a signer that was set back to an old state makes these dangerous. */
export const forgetfulMutants = {
  'a restored signer does not abstain': { ...soundRules, abstainUpTo: () => undefined },
  'promises of an earlier place open a later one': {
    ...soundRules,
    onPropose: (agreement, state, proposal, judge) => {
      const at: Opening = { ...agreement, ...proposal.step, ballot: proposal.ballot }
      const { trust } = agreement
      const isOld = (proof: PromiseProof): boolean =>
        proof.statement.seq < at.seq &&
        verifyPromise(proof, { ...at, ...proof.statement, ballot: at.ballot }, trust)
      const old = proposal.promises.filter(isOld).map(({ statement }) => statement.signer)
      if (old.length === 0) return onPropose(agreement, state, proposal, judge)
      const renewed = emptyPromises(agreement, state, proposal.ballot)
      const promises = proposal.promises.map((proof) =>
        old.includes(proof.statement.signer)
          ? (renewed.find(({ statement }) => statement.signer === proof.statement.signer) ?? proof)
          : proof,
      )
      const isRenewed = (signer: number, bytes: Uint8Array, signature: Uint8Array): boolean =>
        (old.includes(signer) && equalBytes(signature, blank)) ||
        trust.verify(signer, bytes, signature)
      const believing = trusting(agreement, { ...trust, verify: isRenewed })
      return onPropose(believing, state, { ...proposal, promises }, judge)
    },
  },
} as const satisfies Record<string, Rules>

function overwriteVote(...[agreement, state, proposal, judge]: Parameters<typeof onPropose>) {
  return onPropose(agreement, { ...state, vote: undefined }, proposal, judge)
}

const blank = new Uint8Array(64)

function trusting(agreement: Agreement, trust: Trust): Agreement {
  return { ...agreement, trust }
}

function credulous(agreement: Agreement): Agreement {
  return trusting(agreement, { ...agreement.trust, verify: () => true })
}

/** As if everybody had promised here, and nobody had locked anything. */
function emptyPromises(agreement: Agreement, state: VoterState, ballot: number): PromiseProof[] {
  const { trust, organization, stream } = agreement
  return Array.from({ length: trust.n }, (_, i) => ({
    statement: {
      kind: 'promise',
      manifestHash: trust.manifestHash,
      organization,
      stream,
      seq: state.head === undefined ? 0 : state.head.seq + 1,
      ballot,
      previous: headHash(state),
      lock: undefined,
      signer: i + 1,
      bootId: new Uint8Array(16),
      storeSequence: 0,
    },
    signature: blank,
    lock: undefined,
  }))
}
