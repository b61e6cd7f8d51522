import {
  encodePooledStatement,
  pooledMs,
  sealKeyCertificate,
} from '@quorate/authority/key-certificate'
import { generatePooled } from '@quorate/signer/testing/keys'
import { signAs } from '@quorate/signer/testing/cluster'
import { attack, rule, type Attack } from './attack.ts'
import { fresh, type Actor, type Stage } from './stage.ts'

/** Keys that were born before anybody asked for them: the server says which of them somebody gets. */

const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const
const eddsa = { scheme: 'EdDSA', curve: 'ed25519' } as const

export const pools: readonly Attack[] = [
  attack(
    'binds one key of the pool to two owners',
    rule('pool', 'the pooled key is bound already'),
    async ({ stage, ulla, ulf }) => {
      const facts = await generatePooled(stage.world, ecdsa)
      await stage.put('wallet', { ...asking(stage, ulla), facts })
      return stage.propose('wallet', { ...asking(stage, ulf), facts })
    },
  ),
  attack(
    'has a wallet rest on a pooled key of another kind',
    rule('pool', 'the pooled key is of another kind'),
    async ({ stage }) => {
      const facts = await generatePooled(stage.world, eddsa)
      return stage.propose('wallet', { ...asking(stage), facts })
    },
  ),
  attack(
    'has a wallet rest on a pooled key of its own making',
    rule('key', 'the key is not certified by every signer'),
    ({ stage }) => stage.propose('wallet', { ...asking(stage), facts: ownKey(stage) }),
    { isVariant: true },
  ),
]

/** A wallet of the organization's own, or of one of its customers. */
function asking(stage: Stage, owner?: Actor) {
  const body = { network: 'EthereumSepolia', ...(owner && { delegateTo: owner.name }) }
  const ids = owner && { delegateTo: owner.user }
  return stage.ask(stage.admin, { path: '/wallets', body, ...(ids && { ids }) })
}

/** Whose secret the attacker knows: certified by the one signer that is his, and by himself. */
function ownKey({ world }: Stage): Uint8Array {
  const { manifest } = world.cluster
  const [publicKey, bindBefore] = [fresh(33), world.now + pooledMs]
  const signed = encodePooledStatement({
    terms: { organization: world.organization, ...ecdsa, bindBefore },
    ...{ manifest: manifest.hash, threshold: manifest.threshold, publicKey },
    publicShares: world.indexes.map(() => publicKey),
    chainCode: fresh(),
    transcript: fresh(),
  })
  const mine = signAs(world.cluster, world.indexes.length, signed)
  return sealKeyCertificate(
    signed,
    world.indexes.map(() => mine),
  )
}
