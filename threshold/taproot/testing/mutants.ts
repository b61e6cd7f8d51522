import { type Mutant, runMutants } from '../../testing/mutants.ts'

const tests = ['taproot.test.ts', 'vectors.test.ts']

/** Every check on the way of a Taproot signature. The text must be found: the list keeps up. */
const mutants: readonly Omit<Mutant, 'tests'>[] = [
  {
    file: 'key.ts',
    from: "if (point === undefined) return refused('public key', [])",
    to: 'if (point === undefined) throw new Error()',
  },
  {
    file: 'key.ts',
    from: "if (merkleRoot !== undefined) return refused('a plain key has no script tree', [])",
    to: '',
  },
  {
    file: 'key.ts',
    from: "if (merkleRoot === undefined) return refused('a taproot key signs tweaked only', [])",
    to: 'if (merkleRoot === undefined) return keyOf(internal, { negated: isOdd(point), addend: 0n })',
  },
  {
    file: 'key.ts',
    from: "if (merkleRoot.length !== 0 && merkleRoot.length !== 32) return refused('merkle root', [])",
    to: '',
  },
  {
    file: 'key.ts',
    from: 'const addend = group.scalarFromBytes(tweak)',
    to: 'const addend = group.mod(BigInt(`0x${Buffer.from(tweak).toString("hex")}`))',
  },
  {
    file: 'key.ts',
    from: "if (group.equal(output, group.identity)) return refused('identity output key', [])",
    to: '',
  },
  { file: 'key.ts', from: 'negated: isOdd(point) !== flipped', to: 'negated: isOdd(point)' },
  { file: 'key.ts', from: 'addend: flipped ? group.mod(-addend) : addend', to: 'addend' },
  { file: 'key.ts', from: 'xOf(internal), merkleRoot', to: 'xOf(internal)' },
  { file: 'suite.ts', from: 'isNegated: isOdd', to: 'isNegated: () => false' },
  {
    file: 'suite.ts',
    from: 'xOf(R), publicKey.subarray(1), message',
    to: 'xOf(R), publicKey.subarray(1), new Uint8Array()',
  },
  { file: 'sign.ts', from: 'nonces.forget() return', to: 'return' },
  { file: 'sign.ts', from: '|| !group.secrets.isScalar(keyShare.secret)', to: '' },
  {
    file: '../frost/sign.ts',
    from: "if (pair === undefined) return refused('nonces already used', [])",
    to: 'if (pair === undefined) throw new Error()',
  },
  {
    file: '../frost/sign.ts',
    from: "if (quorum.length !== t) return refused('quorum size', [])",
    to: '',
  },
  {
    file: '../frost/sign.ts',
    from: "if (!quorum.every((party) => party <= n)) return refused('unknown party', [])",
    to: '',
  },
  {
    file: '../frost/sign.ts',
    from: "if (own === undefined) return refused('not in the quorum', [])",
    to: 'if (own === undefined) return undefined',
  },
  {
    file: '../frost/sign.ts',
    from: "if (!equalBytes(own, nonces.commitment)) return refused('own commitment differs', [])",
    to: '',
  },
  { file: '../frost/nonces.ts', from: 'this.#pair = undefined return pair', to: 'return pair' },
  {
    file: '../frost/commitments.ts',
    from: "if (!isSorted(quorum)) return refused('quorum is not a sorted set', [])",
    to: '',
  },
  { file: '../frost/commitments.ts', from: 'commitments.size !== quorum.length ||', to: '' },
  {
    file: '../frost/commitments.ts',
    from: 'if (bytes.length !== 2 * group.pointSize) return undefined',
    to: '',
  },
  {
    file: '../frost/commitments.ts',
    from: 'h1(concat(prefix, identifier(group, party)))',
    to: '1n',
  },
  {
    file: '../frost/aggregate.ts',
    from: 'if (form.verify(publicKey, message, signature)) return',
    to: 'if (signature) return',
  },
  {
    file: '../frost/aggregate.ts',
    from: 'suite.isNegated(binding.groupCommitment) ? group.negate(nonce) : nonce',
    to: 'nonce',
  },
  {
    file: '../public/taproot.ts',
    from: 'shareOf: (publicShare) => publicShareOf(key, publicShare)',
    to: 'shareOf: (publicShare) => publicShare',
  },
  {
    file: '../public/taproot.ts',
    from: 'if (!key.ok) return { ok: false, culprits: [] }',
    to: 'if (!key.ok) throw new Error()',
  },
  { file: '../public/schnorr.ts', from: '|| isOdd(R)', to: '' },
  { file: '../public/schnorr.ts', from: 'return equalBytes(xOf(R), r)', to: 'return true' },
  { file: '../public/schnorr.ts', from: 'if (signature.length !== 64) return false', to: '' },
]

if (import.meta.main)
  runMutants(
    'taproot',
    mutants.map((mutant) => ({ ...mutant, tests })),
  )
