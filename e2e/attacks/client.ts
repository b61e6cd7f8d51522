import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { certificateCodec, type Certificate } from '@quorate/authority/agreement/messages'
import { opaqueStep } from '@quorate/authority/opaque-step'
import { encodeStep, type Step, type WholeEvidence } from '@quorate/authority/step'
import {
  verifyAddress,
  type CertifiedWallet,
  type WalletProof,
} from '@quorate/client/verify-address'
import { verifyDerivation } from '@quorate/client/verify-derivation'
import { Untrusted } from '@quorate/client/trust'
import { bytesToBig, concat, toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha512, transcript } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { childKeyOf } from '@quorate/effects/child-key'
import { encodeDerivation, encodeDerived, type Derivation } from '@quorate/effects/instruction'
import { childIn, type Key } from '@quorate/signer/testing/keys'
import { derivationOf, runSigning, signCall } from '@quorate/signer/testing/signing'
import { at, attack, gone, without, type Attack, type Check, type Outcome } from './attack.ts'
import type { Cast } from './cast.ts'
import { corrupt, forge } from './drive.ts'
import { inForce } from './rounds.ts'
import { fresh, made, type Stage } from './stage.ts'

/** What a server tells a client of its keys, where no signer is asked any more. */

const network = 'EthereumSepolia'
const { Point } = secp256k1

/** A wallet on a derived key, and the step that has put it into force. */
type Shown = {
  readonly wallet: CertifiedWallet
  readonly proof: WalletProof
  readonly stage: Stage
  readonly master: Key
  readonly step: Step
  readonly evidence: WholeEvidence
}

async function genuine({ stage, master }: Cast): Promise<Shown> {
  const { world } = stage
  const body = { network, signingKey: { deriveFrom: { keyId: master.key.name } } }
  const ids = { 'signingKey.deriveFrom.keyId': master.key.id }
  const evidence = stage.ask(stage.admin, { path: '/wallets', body, ids })
  const drafted = forge(world, { place: world.root, asked: [{ kind: 'wallet', evidence }] })
  const certificate = await world.certify(world.root, drafted)
  const key = childIn(world, master.key, made(evidence, 'key'))
  const { publicKey } = key.statement
  return {
    wallet: {
      ...{
        id: made(evidence, 'wallet').name,
        network,
        address: addressOf(tableNetworks, network, publicKey),
      },
      signingKey: { id: key.name, publicKey: toHex(publicKey) },
      certificate: toHex(stage.certificateOf(master)),
    },
    proof: proofOf(drafted.body, certificate),
    ...{ stage, master: master.key, step: drafted.body, evidence },
  }
}

function proofOf(step: Step, certificate: Certificate): WalletProof {
  const seals = toHex(encode(certificateCodec, certificate))
  return { steps: [{ step: toHex(encodeStep(step)), certificate: seals }] }
}

function verify({ stage, wallet, proof }: Shown): void {
  const { organization, world } = stage
  const { manifest } = world.cluster
  verifyAddress(wallet, proof, {
    organization,
    orgId: nameOf('organization', organization),
    manifest,
  })
}

/** A client that believes what it is told is as good as a vote. */
function told(refusal: string | undefined): Outcome {
  const nothing = { seals: 0, lastRounds: 0, isSigned: false, changed: 0 }
  return refusal === undefined
    ? { ...nothing, refusals: [], votes: 1 }
    : { ...nothing, refusals: [refusal], votes: 0 }
}

const showing = (
  name: string,
  check: Check,
  change: (shown: Shown) => Partial<Shown> | Promise<Partial<Shown>>,
): Attack =>
  attack(name, check, async (cast) => {
    const shown = await genuine(cast)
    verify(shown)
    const changed = { ...shown, ...(await change(shown)) }
    try {
      verify(changed)
      return told(undefined)
    } catch (error) {
      if (error instanceof Untrusted) return told(error.message)
      throw error
    }
  })

const untrusted = (reason: string, code: string) => at('client/verify-address.ts', reason, code)

/** Its public key and address, in the place of those of the wallet. */
function moved({ wallet }: Shown, publicKey: Uint8Array): Pick<Shown, 'wallet'> {
  const signingKey = { ...wallet.signingKey, publicKey: toHex(publicKey) }
  return {
    wallet: { ...wallet, signingKey, address: addressOf(tableNetworks, network, publicKey) },
  }
}

const addresses: readonly Attack[] = [
  showing(
    'gives a client an address of its own for a wallet on a derived key',
    gone(
      untrusted('The address is not that of the key.', 'if (address !== wallet.address)'),
      " throw new Untrusted('The address is not that of the key.')",
    ),
    ({ wallet }) => ({ wallet: { ...wallet, address: `0x${'66'.repeat(20)}` } }),
  ),
  showing(
    'gives a client a derived key of its own, with its address',
    gone(
      untrusted(
        'The public key is not the certified one.',
        'if (toHex(publicKey) !== wallet.signingKey.publicKey)',
      ),
      "\n    throw new Untrusted('The public key is not the certified one.')",
    ),
    (shown) => moved(shown, somePoint()),
  ),
  showing(
    'shows a client the certificate of another master',
    without(
      untrusted(
        'The certificate is of another key.',
        'equalBytes(born.derivation.master, master.terms.key)',
      ),
      ['equalBytes(born.derivation.master, master.terms.key)', 'master.publicShares.length > 0'],
    ),
    async ({ stage, wallet }) => {
      const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1', masterKey: true }
      const other = await stage.createKey(stage.admin, ecdsa)
      return { wallet: { ...wallet, certificate: toHex(stage.certificateOf(other)) } }
    },
  ),
  showing(
    'shows a client a certificate that one signer has spoilt',
    gone(
      untrusted('Not certified by every signer.', 'if (!isCertified(encoded, trust.manifest))'),
      " throw new Untrusted('Not certified by every signer.')",
    ),
    ({ stage, wallet, master }) => {
      const certificate = stage.certificateOf({ key: master })
      certificate.set(fresh(64), certificate.length - 64)
      return { wallet: { ...wallet, certificate: toHex(certificate) } }
    },
  ),
  showing(
    'shows a client a derivation at another path, which one signer alone has sealed',
    without(
      untrusted(
        'A step is not certified in the root of the organization.',
        'verifyCertificate(seals, quorumOf(trust.manifest))',
      ),
      ['verifyCertificate(seals, quorumOf(trust.manifest))', 'quorumOf(trust.manifest).q > 0'],
    ),
    (shown) => {
      const { stage, step, master, evidence } = shown
      const path = [77, 7]
      const items = step.items.map((item) => derivedAt(item, path))
      const other = { ...step, items }
      const { world } = stage
      const seals = world.certificateBy([corrupt], world.root, opaqueStep(other, [evidence]))
      const child = childKeyOf(master.statement, path)
      if (child === undefined) throw new Error('no key at this path')
      return { ...moved(shown, child.publicKey), proof: proofOf(other, seals) }
    },
  ),
]

type Item = Step['items'][number]

function derivedAt(item: Item, path: readonly number[]): Item {
  const { operation } = item
  if (operation.kind !== 'wallet' || operation.key.kind !== 'created') return item
  const { derivation } = operation.key
  const key = { ...operation.key, derivation: derivation && { ...derivation, path } }
  return { ...item, operation: { ...operation, key } }
}

function somePoint(): Uint8Array {
  return secp256k1.getPublicKey(secp256k1.utils.randomSecretKey(), true)
}

/** What one honest signer and the corrupt one have made of a derivation that is in force. */
type Derived = {
  readonly key: Key
  readonly domain: Uint8Array
  readonly seed: Uint8Array
  readonly genuine: Derivation
}

async function derivedBy({ stage, dh }: Cast): Promise<Derived> {
  const [domain, seed] = [fresh(), fresh()]
  const [asDomain, asSeed] = [domain, seed].map((bytes) => `0x${toHex(bytes)}`)
  const body = { domain: asDomain, seed: asSeed }
  const asked = stage.derivation(stage.admin, dh, { body })
  const { place, drafted, key } = await inForce(stage, asked, dh)
  const quorum = [1, corrupt]
  const { packets } = await runSigning(stage.world, signCall(place, drafted, { quorum }))
  const message = encodeDerivation({ domain, seed })
  return { key, domain, seed, genuine: derivationOf(key, quorum, { message, packets }) }
}

const noOutput = 'no output follows from this proof'

const deriving = (
  name: string,
  code: string,
  instead: string,
  change: (derived: Derived) => Derivation,
): Attack =>
  attack(
    name,
    without(at('client/verify-derivation.ts', noOutput, code), [code, instead]),
    async (cast) => {
      const derived = await derivedBy(cast)
      const { key, domain, seed, genuine } = derived
      const claim = { publicKey: key.statement.publicKey, domain, seed }
      const outputOf = (shown: Derivation) =>
        verifyDerivation({ ...claim, proof: encodeDerived(shown) })
      if (outputOf(genuine) === undefined) throw new Error(noOutput)
      return told(outputOf(change(derived)) === undefined ? noOutput : undefined)
    },
  )

const outputs: readonly Attack[] = [
  deriving(
    'gives a client another output, by a wrong part of its own signer',
    'isWhole && isProven ?',
    'isWhole ?',
    ({ genuine }) => {
      const [honest, own] = genuine.partials
      if (honest === undefined || own === undefined) throw new Error('there are two')
      const result = Point.fromBytes(somePoint())
      const partial = concat(result.toBytes(true), own.partial.slice(33))
      // Lagrange's weights of the signers 1 and 4 at zero are 4/3 and -1/3.
      const third = Point.Fn.inv(3n)
      const sum = Point.fromBytes(honest.partial.slice(0, 33))
        .multiply(4n)
        .subtract(result)
        .multiply(third)
      return { ...genuine, point: sum.toBytes(true), partials: [honest, { ...own, partial }] }
    },
  ),
  deriving(
    'gives a client another output than the parts come to',
    'interpolate(parts, ({ result }) => result).equals(Point.fromBytes(derived.point))',
    'derived.point.length === 33',
    ({ genuine }) => ({ ...genuine, point: somePoint() }),
  ),
  deriving(
    'gives a client the output of a key that it has made itself',
    'interpolate(parts, ({ publicShare }) => publicShare).equals(key)',
    'parts.length > 0',
    (derived) => provenAlone(derived),
  ),
]

/** By a number of its own, in the name of the key: all of it is proven, as docs/protocols/dh.md has it. */
function provenAlone({ key, domain, seed }: Derived): Derivation {
  const [own, nonce] = [5n, 7n]
  const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
  const [publicShare, result] = [Point.BASE.multiply(own), input.multiply(own)]
  const points = [publicShare, input, result, Point.BASE.multiply(nonce), input.multiply(nonce)]
  const sid = fresh()
  const encoded = points.map((point) => point.toBytes(true))
  const said = [sid, key.statement.publicKey, Uint8Array.of(1), ...encoded]
  const wide = sha512(transcript('quorate/dh/proof/v1', ...said))
  const challenge = Point.Fn.create(bytesToBig(wide))
  const response = Point.Fn.create(nonce + challenge * own)
  const scalars = [challenge, response].map((scalar) => Point.Fn.toBytes(scalar))
  const partial = concat(result.toBytes(true), ...scalars)
  const part = { signer: 1, publicShare: publicShare.toBytes(true), partial }
  return { sid, point: result.toBytes(true), partials: [part] }
}

export const clients: readonly Attack[] = [...addresses, ...outputs]
