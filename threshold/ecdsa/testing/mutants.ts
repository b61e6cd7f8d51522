import { type Mutant, runMutants } from '../../testing/mutants.ts'

const attack = ['attack.test.ts']
const setup = ['pair-setup.test.ts', 'base-ot.test.ts']
const sign = ['sign.test.ts']

/** Every check of the protocol. The text must be found, so that the list keeps up with the code. */
const mutants: readonly Mutant[] = [
  {
    file: 'round2.ts',
    from: "if (!isEntry(spoken.epochs, place, pairWith(context, peer).epoch)) return blame('epoch')",
    to: '',
    tests: attack,
  },
  {
    file: 'round2.ts',
    from: 'if (!isEntry(spoken.digests, place, digestOf(first, peer, self, direct)))',
    to: 'if (place < 0)',
    tests: attack,
  },
  {
    file: 'round2.ts',
    from: 'epochs.length === count && digests.length === count',
    to: 'epochs.length + digests.length + count > 0',
    tests: attack,
  },
  {
    file: 'extension.ts',
    from: 'if (!equalBytes(proofOf(label, folded), proof)) return undefined',
    to: '',
    tests: attack,
  },
  {
    file: 'round3.ts',
    from: "if (!equalBytes(raw.echo, echo)) return blame('echo')",
    to: '{}',
    tests: attack,
  },
  {
    file: 'round3.ts',
    from: "if (!equalBytes(commitment, taken(peers, peer).commitment)) return blame('commitment', peer)",
    to: '',
    tests: attack,
  },
  {
    file: 'multiplication.ts',
    from: 'if (!equalBytes(proofOf(sid, mu), proof)) return undefined',
    to: '',
    tests: attack,
  },
  { file: 'round3.ts', from: '|| !isMasked(curve, raw.masked)', to: '', tests: attack },
  {
    file: 'round3.ts',
    from: "if (!isProduct(curve, own, { point: noncePoint, theirs: shares[0], mine: products[0] })) return 'nonce product'",
    to: '',
    tests: attack,
  },
  {
    file: 'round3.ts',
    from: "if (!isProduct(curve, own, { point: keyPoint, theirs: shares[1], mine: products[1] })) return 'key product'",
    to: '',
    tests: attack,
  },
  {
    file: 'round3.ts',
    from: "if (!equalBytes(group.encode(keyPoint), context.publicKey)) return blame('public key')",
    to: '',
    tests: attack,
  },
  { file: 'curve.ts', from: 'x > 0n && x < max ?', to: 'x < max ?', tests: attack },
  {
    file: 'curve.ts',
    from: 'x > 0n && x < max ?',
    to: 'x < group.order ?',
    tests: ['curve.test.ts'],
  },
  {
    file: 'curve.ts',
    from: '&& bytesToBig(digest) < curveOf(curve).digestMax',
    to: '',
    tests: sign,
  },
  { file: 'abort.ts', from: 'found.length === 1 ?', to: 'found.length > 0 ?', tests: attack },
  { file: '../spent.ts', from: 'spent.add(state)', to: '', tests: sign },
  {
    file: 'combine.ts',
    from: '!equalBytes(view, first.view) ||',
    to: '',
    tests: attack,
  },
  {
    file: 'combine.ts',
    from: '|| !equalBytes(noncePoint, first.noncePoint)',
    to: '',
    tests: attack,
  },
  { file: 'combine.ts', from: '|| parts.length < 2', to: '', tests: attack },
  {
    file: 'combine.ts',
    from: 'return verifies(input, signature) ?',
    to: 'return signature ?',
    tests: attack,
  },
  {
    file: 'combine.ts',
    from: 'return equalBytes(encode(point), concat(Uint8Array.of(2 + recid), r))',
    to: 'return true',
    tests: attack,
  },
  { file: 'combine.ts', from: 'isLowS && s > order / 2n', to: 's === 0n', tests: sign },
  { file: 'combine.ts', from: 'odd === negate ? 0 : 1', to: 'odd ? 1 : 0', tests: sign },
  {
    file: 'context.ts',
    from: "assert(equalBytes(share, publicShares[self - 1] ?? share.subarray(1)), 'a share of this key')",
    to: '',
    tests: sign,
  },
  {
    file: 'context.ts',
    from: "assert(pair.self === self && pair.peer === peer, 'the pair of these two')",
    to: '',
    tests: sign,
  },
  {
    file: 'cipher.ts',
    from: "'quorate/ecdsa/session-random/v1', fresh, ...parts",
    to: "'quorate/ecdsa/session-random/v1', fresh",
    tests: sign,
  },
  {
    file: 'pair-setup.ts',
    from: "if (!equalBytes(commit(context, peer, theirs), commitment)) return blame('commitment', peer)",
    to: '',
    tests: setup,
  },
  {
    file: 'pair-setup.ts',
    from: "if (!equalBytes(body, confirmationOf(pair.epoch, peer))) return blame('confirmation', peer)",
    to: '',
    tests: setup,
  },
  {
    file: 'tree.ts',
    from: 'return equalBytes(proofOf(context, checks), message.proof) ? { delta, leaves } : undefined',
    to: 'return { delta, leaves }',
    tests: setup,
  },
  {
    file: 'pair-setup.ts',
    from: "return burn('tree', peer)",
    to: "return blame('tree', peer)",
    tests: setup,
  },
  {
    file: 'base-ot.ts',
    from: 'if (!isElement(zero) || !isElement(one)) return undefined',
    to: '',
    tests: setup,
  },
  { file: 'ristretto.ts', from: 'bytes.some((byte) => byte !== 0) &&', to: '', tests: setup },
  {
    file: 'ristretto.ts',
    from: 'return isElement(element) ?',
    to: 'return element ?',
    tests: setup,
  },
]

if (import.meta.main) runMutants('ecdsa', mutants)
