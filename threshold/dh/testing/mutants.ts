import { type Mutant, runMutants } from '../../testing/mutants.ts'

const tests = ['dh.test.ts']

/** Every check of a derivation. The text must be found, so that the list keeps up with the code. */
const mutants: readonly Omit<Mutant, 'tests'>[] = [
  {
    file: 'input.ts',
    from: 'domain.length === 0 || domain.length > domainBytesMax',
    to: 'domain.length === 0',
  },
  { file: 'input.ts', from: 'domain.length === 0 ||', to: '' },
  { file: 'input.ts', from: 'if (seed.length > seedBytesMax) return undefined', to: '' },
  { file: 'proof.ts', from: 'const parts = [sid, publicKey,', to: 'const parts = [publicKey,' },
  { file: 'proof.ts', from: 'const parts = [sid, publicKey,', to: 'const parts = [sid,' },
  { file: 'proof.ts', from: 'Uint8Array.of(party), ...points', to: '...points' },
  {
    file: 'proof.ts',
    from: '[publicShare, input, result, A, B]',
    to: '[publicShare, input, A, B]',
  },
  {
    file: 'proof.ts',
    from: '[publicShare, input, result, A, B]',
    to: '[publicShare, input, result, A]',
  },
  {
    file: 'proof.ts',
    from: '[publicShare, input, result, A, B]',
    to: '[publicShare, input, result, B]',
  },
  { file: 'proof.ts', from: 'return challengeOf(claim, A, B) === challenge', to: 'return true' },
  { file: 'proof.ts', from: 'if (bytes.length !== partialSize) return undefined', to: '' },
  { file: 'derive.ts', from: 'assert(sid.length === 32)', to: '' },
  { file: 'derive.ts', from: '!group.secrets.isScalar(secret) ||', to: '' },
  {
    file: 'derive.ts',
    from: '[random(32), secret, sid, publicKey, group.encode(input)]',
    to: '[secret, sid, publicKey, group.encode(input)]',
  },
  {
    file: 'derive.ts',
    from: '[random(32), secret, sid, publicKey, group.encode(input)]',
    to: '[random(32), sid, publicKey, group.encode(input)]',
  },
  {
    file: 'derive.ts',
    from: '[random(32), secret, sid, publicKey, group.encode(input)]',
    to: '[random(32), secret, publicKey, group.encode(input)]',
  },
  {
    file: 'derive.ts',
    from: '[random(32), secret, sid, publicKey, group.encode(input)]',
    to: '[random(32), secret, sid, group.encode(input)]',
  },
  {
    file: 'derive.ts',
    from: '[random(32), secret, sid, publicKey, group.encode(input)]',
    to: '[random(32), secret, sid, publicKey]',
  },
  {
    file: '../public/derive.ts',
    from: 'if (isProven(claim, partial.proof)) results',
    to: 'results',
  },
  { file: '../public/derive.ts', from: '|| shares.has(party)', to: '' },
  {
    file: '../public/derive.ts',
    from: '|| !group.equal(interpolate(quorum, shares), key)',
    to: '',
  },
  {
    file: '../public/derive.ts',
    from: 'if (partial === undefined) continue',
    to: 'if (partial === undefined) throw new Error()',
  },
]

if (import.meta.main)
  runMutants(
    'dh',
    mutants.map((mutant) => ({ ...mutant, tests })),
  )
