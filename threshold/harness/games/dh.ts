import { toUtf8 } from '@quorate/core/bytes'
import { fixed, struct } from '@quorate/core/codec'
import { dhDerive } from '../../dh/derive.ts'
import { pointOf } from '../../dh/input.ts'
import { only } from '../../ecdsa/abort.ts'
import { named, seeded } from '../../ecdsa/testing/parties.ts'
import { equalBytes } from '@quorate/core/bytes'
import { groupOf } from '../../group/groups.ts'
import { lagrange } from '../../group/polynomial.ts'
import { dhCombine } from '../../public/derive.ts'
import type { Outcome, Party } from '../../session.ts'
import type { Game, Message, Reactions } from '../game.ts'
import { type Key, keyOf } from './key.ts'

const group = groupOf('secp256k1')
const reactions: Reactions = { partial: 'names' }
const ends = ['partial']

const messages: Readonly<Record<string, Message>> = {
  partial: {
    codec: struct({ result: fixed(group.pointSize), challenge: fixed(32), response: fixed(32) }),
    fields: {
      result: { kind: 'point', ends },
      challenge: { kind: 'scalar', ends },
      response: { kind: 'scalar', ends },
    },
    ends,
  },
}

/** A derivation by parties 1 to t. */
export function dhGame(size: { n: number; t: number }, name = 'a session'): Game<never> {
  const key = keyOf('secp256k1', size)
  const quorum = Array.from({ length: size.t }, (_, i) => i + 1)
  const asked = {
    domain: toUtf8('QUORATE-HARNESS'),
    seed: named(name),
    sid: named(`sid of ${name}`),
  }
  const expected = wholeResult(key, quorum, asked)
  return {
    name: `DH secp256k1 ${size.t} of ${size.n}`,
    parties: quorum,
    messages,
    nameOf: () => 'partial',
    reactions,
    start: () =>
      new Map(
        quorum.map((self): [Party, Outcome<never, unknown>] => {
          const secret = key.secrets[self - 1] ?? new Uint8Array()
          const keyShare = { ...key, self, secret }
          const derived = dhDerive({ keyShare, ...asked }, seeded(`${name} ${self}`))
          if (!derived.ok) throw new Error(derived.reason)
          return [
            self,
            { kind: 'done', result: undefined, out: [{ to: '*', body: derived.partial }] },
          ]
        }),
      ),
    step: () => {
      throw new Error('there is one round')
    },
    judge: ({ broadcasts }) => {
      const partials = new Map<Party, Uint8Array>()
      for (const party of quorum) {
        const body = only(broadcasts.get(1) ?? [], party, '*')
        if (body !== undefined) partials.set(party, body)
      }
      const publicShares = new Map(key.publicShares.map((share, i) => [i + 1, share]))
      const { publicKey } = key
      const made = dhCombine({ publicKey, publicShares, quorum, partials, ...asked })
      if (!made.ok) return { kind: 'refused', reason: 'partial', culprits: made.culprits }
      return equalBytes(made.point, expected)
        ? { kind: 'good' }
        : { kind: 'bad', what: 'another output than the key has' }
    },
  }
}

/** What the whole key makes of it. */
function wholeResult(
  { secrets }: Key,
  quorum: readonly Party[],
  asked: Parameters<typeof pointOf>[0],
): Uint8Array {
  const secret = quorum.reduce((sum, party) => {
    const share = group.scalarFromBytes(secrets[party - 1] ?? new Uint8Array()) ?? 0n
    return group.mod(sum + share * lagrange(group, quorum, party))
  }, 0n)
  return group.encode(group.multiply(pointOf(asked) ?? group.identity, secret))
}
