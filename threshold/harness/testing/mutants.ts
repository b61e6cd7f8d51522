import { type Mutant, runMutants } from '../../testing/mutants.ts'

/** Only the settings of one protocol: the whole harness for each mutant would take an hour. */
function by(setting: string): readonly string[] {
  return [`--test-name-pattern=burned: ${setting}`, 'harness.test.ts']
}
const dkg = by('DKG secp256k1')
const ecdsa = by('ECDSA secp256k1')
const pair = by('pair setup')
const rates = ['rates.test.ts']

/** Checks of every protocol, each of which only falsified messages put to the test. */
const mutants: readonly Mutant[] = [
  {
    file: '../ecdsa/round2.ts',
    from: "if (!isEntry(spoken.epochs, place, pairWith(context, peer).epoch)) return blame('epoch')",
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round2.ts',
    from: 'if (!isEntry(spoken.digests, place, digestOf(first, peer, self, direct)))',
    to: 'if (place < 0)',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/extension.ts',
    from: 'if (!equalBytes(proofOf(label, folded), proof)) return undefined',
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round3.ts',
    from: "if (!equalBytes(raw.echo, echo)) return blame('echo')",
    to: '{}',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round3.ts',
    from: "if (!equalBytes(commitment, taken(peers, peer).commitment)) return blame('commitment', peer)",
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/multiplication.ts',
    from: 'if (!equalBytes(proofOf(sid, mu), proof)) return undefined',
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round3.ts',
    from: "if (!isProduct(curve, own, { point: noncePoint, theirs: shares[0], mine: products[0] })) return 'nonce product'",
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round3.ts',
    from: "if (!isProduct(curve, own, { point: keyPoint, theirs: shares[1], mine: products[1] })) return 'key product'",
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/round3.ts',
    from: "if (!equalBytes(group.encode(keyPoint), context.publicKey)) return blame('public key')",
    to: '',
    tests: rates,
  },
  {
    file: '../ecdsa/combine.ts',
    from: '!equalBytes(view, first.view) ||',
    to: '',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/combine.ts',
    from: 'return verifies(input, signature) ?',
    to: 'return signature ?',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/abort.ts',
    from: 'abort: { reason, culprits: peers, burned: peers }',
    to: 'abort: { reason, culprits: peers, burned: [] }',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/abort.ts',
    from: 'found.length === 1 ?',
    to: 'found.length > 0 ?',
    tests: ecdsa,
  },
  {
    file: '../ecdsa/pair-setup.ts',
    from: "if (!equalBytes(body, confirmationOf(pair.epoch, peer))) return blame('confirmation', peer)",
    to: '',
    tests: pair,
  },
  {
    file: '../ecdsa/pair-setup.ts',
    from: "if (!equalBytes(commit(context, peer, theirs), commitment)) return blame('commitment', peer)",
    to: '',
    tests: pair,
  },
  {
    file: '../ecdsa/tree.ts',
    from: 'return equalBytes(proofOf(context, checks), message.proof) ? { delta, leaves } : undefined',
    to: 'return { delta, leaves }',
    tests: pair,
  },
  {
    file: '../dkg/round3.ts',
    from: 'equalBytes(commitmentTo(context, from, opening), commitments.get(from) ?? new Uint8Array())',
    to: 'from > 0',
    tests: dkg,
  },
  {
    file: '../dkg/round3.ts',
    from: '({ points }) => points.length === context.t',
    to: '({ points }) => points.length > 0',
    tests: rates,
  },
  {
    file: '../dkg/dealer.ts',
    from: 'return group.equal(group.multiplyBaseBySecret(share.body), committed) ? share.body : undefined',
    to: 'return committed ? share.body : undefined',
    tests: dkg,
  },
  {
    file: '../dkg/finish.ts',
    from: 'if (dealer === undefined) return false',
    to: 'if (dealer !== undefined) return true',
    tests: dkg,
  },
  {
    file: '../echo.ts',
    from: 'return agree ? undefined :',
    to: 'return agree || !agree ? undefined :',
    tests: dkg,
  },
  {
    file: '../frost/aggregate.ts',
    from: 'if (form.verify(publicKey, message, signature)) return',
    to: 'if (signature) return',
    tests: by('FROST'),
  },
  {
    file: '../frost/commitments.ts',
    from: 'if (hiding === undefined || binding === undefined) return undefined',
    to: 'if (hiding === undefined || binding === undefined) return { party, hiding: group.generator, binding: group.generator, bytes }',
    tests: by('FROST'),
  },
  {
    file: '../public/derive.ts',
    from: 'if (isProven(claim, partial.proof)) results',
    to: 'if (claim) results',
    tests: by('DH'),
  },
  {
    file: '../child-share.ts',
    from: 'const secret = scalars.add(share.secret, tweak)',
    to: 'const secret = tweak.length > 0 ? share.secret : scalars.add(share.secret, tweak)',
    tests: by('ECDSA secp256k1 2 of 3, a derived key'),
  },
  {
    file: '../public/child.ts',
    from: 'publicShares: publicShares.map(shifted)',
    to: 'publicShares',
    tests: by('Taproot, taproot, a script tree 2 of 3, a derived key'),
  },
  {
    file: '../ecdsa/context.ts',
    from: 'sid, digest, publicKey, numbers)',
    to: 'sid, publicKey, numbers)',
    tests: rates,
  },
  {
    file: '../ecdsa/context.ts',
    from: 'sid, digest, publicKey, numbers)',
    to: 'sid, digest, numbers)',
    tests: rates,
  },
]

if (import.meta.main) runMutants('harness', mutants)
