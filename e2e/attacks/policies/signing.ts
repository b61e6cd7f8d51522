import { fromHex, toHex } from '@quorate/core/bytes'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { encodeUnsigned } from '@quorate/effects/evm/transaction'
import { encodeFacts } from '@quorate/effects/facts'
import { evmFacts, recipient, usualMaxFee } from '@quorate/signer/testing/uses'
import { at, attack, without, type Attack } from '../attack.ts'
import type { Stage, Wallet } from '../stage.ts'
import { unauthorized } from '../tokens.ts'
import {
  block,
  blocked,
  guarded,
  message,
  native,
  rule,
  transaction,
  lay,
  under,
  type Policy,
} from './scene.ts'

/** Bytes that say less than they do, before a policy on amounts, recipients or raw bytes. */

const token = `0x${'88'.repeat(20)}`
const tokenAsset = `EthereumSepolia/Erc20/${token}`
const stranger = `0x${'66'.repeat(20)}`

const limit = (most: bigint, asset = native): Policy => ({
  rule: rule('TransactionAssetLimit', { asset, limit: `${most}` }),
})
const onlyTo = (...addresses: readonly string[]): Policy => ({
  rule: rule('TransactionRecipientWhitelist', { addresses }),
})
const rawBytes: Policy = { rule: { kind: 'RawSigning' } }
/** So much that no amount can be the reason. */
const generous = limit(10n ** 30n)

const word = (value: bigint) => value.toString(16).padStart(64, '0')
const call = (selector: string, ...words: readonly bigint[]) =>
  `0x${selector}${words.map(word).join('')}`
const erc20 = {
  transfer: 'a9059cbb',
  transferFrom: '23b872dd',
  approve: '095ea7b3',
  permit: 'd505accf',
} as const
const someone = BigInt(recipient)
const toStranger = encodeUnsigned({
  ...({ type: 2, chainId: 11155111n, nonce: 0n, gasLimit: 21_000n, accessList: [] } as const),
  ...{ maxFeePerGas: 2n, maxPriorityFeePerGas: 1n, to: fromHex('66'.repeat(20)) },
  ...{ value: 1n, data: new Uint8Array() },
})
const permits = { Permit: [{ name: 'value', type: 'uint256' }] }
const domain = { chainId: 11155111, verifyingContract: token }

/** The bytes of each, one after the other, as `bytes[]` has them. */
function multicall(...calls: readonly string[]): string {
  const bodies = calls.map((one) => {
    const digits = one.slice(2)
    return word(BigInt(digits.length / 2)) + digits.padEnd(Math.ceil(digits.length / 64) * 64, '0')
  })
  const offsets = bodies.map((_, i) =>
    BigInt(calls.length * 32 + bodies.slice(0, i).join('').length / 2),
  )
  return call('ac9650d8', 32n, BigInt(calls.length), ...offsets) + bodies.join('')
}

/** `execTransaction` of a Safe: a call of no value, unless said without data and of the recipient; no signatures. */
function execution({ to = someone, data = '0x', operation = 0n, gasPrice = 0n }): string {
  const digits = data.slice(2)
  const padded = digits.padEnd(Math.ceil(digits.length / 64) * 64, '0')
  const size = BigInt(digits.length / 2)
  const signaturesAt = 352n + BigInt(padded.length / 2)
  const refunds = [0n, 0n, gasPrice, 0n, 0n]
  const head = call('6a761202', to, 0n, 320n, operation, ...refunds, signaturesAt, size)
  return head + padded + word(0n)
}

/** A transaction of a wallet that a policy is on. */
const sending = (
  name: string,
  check: Attack['check'],
  policy: Policy,
  object: object,
  extra: { readonly isVariant?: boolean } = {},
): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const wallet = await guarded(stage, policy)
      return stage.use(transaction(stage, wallet, object), wallet)
    },
    extra,
  )
/** A signature of one. */
const saying = (
  name: string,
  check: Attack['check'],
  policy: Policy,
  body: object,
  extra: { readonly isVariant?: boolean } = {},
): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const wallet = await guarded(stage, policy)
      return stage.use(message(stage, wallet, body), wallet)
    },
    extra,
  )

const rules = 'policy/rules.ts'
const outflow = 'effects/evm/outflow.ts'
const wrappers = 'effects/evm/wrappers.ts'
const permitReader = 'effects/evm/permits.ts'
const asVariant = { isVariant: true }

const limitOnUnknown = blocked(
  outflow,
  'return { isKnown: false, isRaw: false, movements: carried, fee }',
  'return { isKnown: true, isRaw: false, movements: carried, fee }',
)
const typedData = blocked(
  outflow,
  'return { isKnown: false, isRaw, movements: [], fee: undefined }',
  'return { isKnown: true, isRaw, movements: [], fee: undefined }',
)

const calls: readonly Attack[] = [
  sending('hides what it moves in a multicall', limitOnUnknown, generous, {
    to: token,
    data: `0xac9650d8${'00'.repeat(64)}`,
  }),
  sending(
    'hides an approval without end beside a transfer, in a multicall',
    blocked(outflow, 'outflows.every((outflow) => outflow.isKnown)', 'outflows.length > 0'),
    generous,
    {
      to: token,
      data: multicall(
        call(erc20.transfer, someone, 1n),
        call(erc20.approve, BigInt(stranger), 2n ** 256n - 1n),
      ),
    },
  ),
  sending(
    'pays a stranger by the second call of a multicall',
    blocked(
      outflow,
      'outflows.flatMap((outflow) => outflow.movements)',
      'outflows.slice(0, 1).flatMap((outflow) => outflow.movements)',
    ),
    onlyTo(recipient),
    {
      to: token,
      data: multicall(
        call(erc20.transfer, someone, 1n),
        call(erc20.transfer, BigInt(stranger), 1n),
      ),
    },
  ),
  sending(
    'has a Safe call by delegation what the key may not',
    blocked(wrappers, 'if (operation !== 0n)', 'if (operation === undefined)'),
    generous,
    { to: token, data: execution({ operation: 1n }) },
  ),
  sending(
    'has a Safe refund whoever brings its payment, as much as he likes',
    blocked(wrappers, 'if (gasPrice !== 0n)', 'if (gasPrice === undefined)'),
    generous,
    { to: token, data: execution({ gasPrice: 1n }) },
  ),
  sending(
    'brings user operations to the chain, where raw bytes are blocked',
    blocked(outflow, "if (inner?.kind === 'operations')", 'if (depth < 0)'),
    rawBytes,
    { to: token, data: call('765e827f', 64n, someone, 0n) },
  ),
  sending(
    'approves a piece of a collection by the bytes that approve coins',
    blocked(
      rules,
      'if (isUncertain(asset, outflow)) return triggered',
      'if (isUncertain(asset, { ...outflow, movements: [] })) return triggered',
    ),
    limit(0n, tokenAsset.replace('Erc20', 'Erc721')),
    { to: token, data: call(erc20.approve, BigInt(stranger), 7n) },
  ),
  sending(
    'creates a contract that pays somebody else out',
    limitOnUnknown,
    onlyTo(recipient),
    { value: '1', data: '0x6001600c60003960016000f3' },
    asVariant,
  ),
  sending(
    'creates a contract whose code begins like a payment of a Safe',
    blocked(wrappers, 'if (to === undefined) return undefined', ''),
    onlyTo(recipient),
    { data: execution({}) },
  ),
  sending(
    'calls Permit2 to hand over what was approved to it',
    limitOnUnknown,
    onlyTo(recipient),
    { to: token, data: call('87517c45', someone, someone, 1n, 1n) },
    asVariant,
  ),
  sending(
    'approves a coin to a stranger by a contract that is not Permit2',
    blocked(
      outflow,
      'contract !== permit2) return undefined',
      'contract === permit2) return undefined',
    ),
    onlyTo(recipient),
    { to: token, data: call('87517c45', someone, someone, 1n, 1n) },
  ),
  sending(
    'trails bytes behind a transfer that only its token reads',
    blocked(outflow, ' || data.length !== selectorSize + call.words.length * wordSize', ''),
    limit(5n, tokenAsset),
    { to: token, data: `${call(erc20.transfer, someone, 5n)}${word(7n)}` },
  ),
  sending(
    'writes something before the address of a recipient, which decoders cut off',
    blocked(outflow, 'wordSize - sizes[kind])) === 0n ?', 'wordSize - sizes[kind])) >= 0n ?'),
    onlyTo(recipient),
    { to: token, data: call(erc20.transfer, someone + (1n << 200n), 5n) },
  ),
  sending(
    'hides ether beside a call that takes none',
    blocked(outflow, 'called.isWhole && tx.value === 0n', 'called.isWhole'),
    generous,
    { to: token, value: '1', data: call(erc20.transfer, someone, 5n) },
  ),
  sending(
    'approves without end for somebody who may be paid',
    blocked(outflow, 'call.isAllowance && isEndless(named.amount)', 'false'),
    onlyTo(recipient),
    { to: token, data: call(erc20.approve, someone, 2n ** 256n - 1n) },
  ),
  sending(
    'approves what it takes later by transferFrom',
    blocked(
      outflow,
      'amount: bytesToBig(amount) }',
      'amount: call.isAllowance ? 0n : bytesToBig(amount) }',
    ),
    limit(5n, tokenAsset),
    { to: token, data: call(erc20.approve, BigInt(stranger), 6n) },
  ),
  sending(
    'brings a permit of its own into the token',
    blocked(
      outflow,
      '    ...{ to: 1, amount: 2, isAllowance: true, isCertain: true },',
      '    ...{ to: 0, amount: 2, isAllowance: true, isCertain: true },',
    ),
    onlyTo(recipient),
    { to: token, data: call(erc20.permit, someone, BigInt(stranger), 1n, 1n, 27n, 1n, 1n) },
  ),
  sending(
    'moves a piece of a collection by the bytes of a transfer of one unit',
    blocked(outflow, 'isAllowance: false, isCertain: false', 'isAllowance: false, isCertain: true'),
    limit(5n, tokenAsset),
    { to: token, data: call(erc20.transferFrom, someone, someone, 1n) },
  ),
  sending(
    'pays a stranger in a token whose contract may be called',
    blocked(outflow, 'to: addressText(to.subarray(12)), amount', 'to: moved, amount'),
    onlyTo(token),
    { to: token, data: call(erc20.transfer, BigInt(stranger), 5n) },
    asVariant,
  ),
]

/** A transfer of a token by a wallet that a policy is on. */
const moving = (
  name: string,
  check: Attack['check'],
  policy: Policy,
  body: object,
  extra: { readonly isVariant?: boolean } = {},
): Attack =>
  attack(
    name,
    check,
    async ({ stage }) => {
      const wallet = await guarded(stage, policy)
      const asked = { contract: token, ...body }
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n, body: asked }), wallet)
    },
    extra,
  )

const moves: readonly Attack[] = [
  moving(
    'transfers more of a coin than its limit allows',
    blocked(
      outflow,
      'call.amount === undefined ? onePiece : words[call.amount]',
      'call.amount === undefined ? onePiece : naturalWord(0n)',
    ),
    limit(5n, tokenAsset),
    { kind: 'Erc20', amount: '6' },
  ),
  moving(
    'transfers a coin to a stranger, where only its contract may be called',
    blocked(outflow, 'to: addressText(to.subarray(12)), amount', 'to: moved, amount'),
    onlyTo(token),
    { kind: 'Erc20', to: stranger },
    asVariant,
  ),
  moving(
    'transfers a piece of a collection of which none may leave',
    // Under another standard its amount would be unknown, which blocks as well.
    blocked(outflow, '/${call.standard}/${moved}', '/of ${moved}'),
    limit(0n, tokenAsset.replace('Erc20', 'Erc721')),
    { kind: 'Erc721', tokenId: '7', amount: undefined },
  ),
  moving(
    'moves a coin as a piece of its contract, past the limit on the coin (ERC-404)',
    blocked(rules, "['Erc20', 'Erc721', 'Erc1155']", "['Erc20', 'Erc1155']"),
    limit(5n, tokenAsset),
    { kind: 'Erc721', tokenId: '7', amount: undefined },
  ),
  moving(
    'moves a piece by the calls of another standard, past the limit on pieces of its contract',
    blocked(rules, "['Erc20', 'Erc721', 'Erc1155']", "['Erc20', 'Erc721']"),
    limit(0n, tokenAsset.replace('Erc20', 'Erc721')),
    { kind: 'Erc1155', tokenId: '7', amount: '1' },
    asVariant,
  ),
  moving(
    'transfers more units of a piece than their limit allows',
    blocked(outflow, 'to: 1, amount: 3, isAllowance', 'to: 1, amount: 2, isAllowance'),
    limit(5n, tokenAsset.replace('Erc20', 'Erc1155')),
    { kind: 'Erc1155', tokenId: '0', amount: '6' },
  ),
]

function members(text: string): readonly object[] {
  return text.split(', ').map((member) => {
    const [type, name] = member.split(' ')
    return { name, type }
  })
}

/** For the recipient, of the token. */
function erc2612(value: bigint): object {
  const type = 'address owner, address spender, uint256 value, uint256 nonce, uint256 deadline'
  return {
    ...{ kind: 'Eip712', types: { Permit: members(type) }, domain },
    message: { owner: token, spender: recipient, value: `${value}`, nonce: 0, deadline: 1 },
  }
}

const signatures: readonly Attack[] = [
  saying('has a permit signed as typed data', typedData, limit(5n, tokenAsset), {
    kind: 'Eip712',
    ...{ types: permits, domain, message: { value: 1 } },
  }),
  saying(
    'has a permit of Permit2 signed as typed data',
    typedData,
    onlyTo(recipient),
    {
      kind: 'Eip712',
      types: { PermitSingle: [{ name: 'spender', type: 'address' }] },
      ...{ domain, message: { spender: recipient } },
    },
    asVariant,
  ),
  saying(
    'lets somebody take more of a coin than its limit allows, by a permit',
    blocked(outflow, 'movements: permit.movements', 'movements: []'),
    limit(5n, tokenAsset),
    erc2612(6n),
  ),
  saying(
    'lets somebody who may be paid take all there is, by a permit',
    blocked(
      permitReader,
      'isWhole: !grants.some(({ amount }) => isEndless(amount))',
      'isWhole: !grants.some(({ amount }) => amount < 0n)',
    ),
    onlyTo(recipient),
    erc2612(2n ** 256n - 1n),
  ),
  saying(
    'has what looks like a permit of Permit2 signed for another contract',
    blocked(
      permitReader,
      'if (contract !== permit2) return []',
      'if (contract === permit2) return []',
    ),
    onlyTo(recipient),
    {
      kind: 'Eip712',
      types: {
        PermitSingle: members('PermitDetails details, address spender, uint256 sigDeadline'),
        PermitDetails: members('address token, uint160 amount, uint48 expiration, uint48 nonce'),
      },
      domain,
      message: {
        details: { token, amount: 1, expiration: 1, nonce: 0 },
        ...{ spender: recipient, sigDeadline: 1 },
      },
    },
  ),
  saying(
    'has typed data signed that nobody knows',
    typedData,
    generous,
    {
      kind: 'Eip712',
      types: { Hello: [{ name: 'value', type: 'uint256' }] },
      ...{ domain, message: { value: 1 } },
    },
    asVariant,
  ),
  saying(
    'has a user operation signed as typed data, where raw bytes are blocked',
    blocked(outflow, 'givingAway.has(primaryType)', 'false'),
    rawBytes,
    {
      kind: 'Eip712',
      types: { UserOperation: [{ name: 'callData', type: 'bytes' }] },
      ...{ domain, message: { callData: '0x' } },
    },
  ),
  saying(
    'has the hash of a user operation signed as a message',
    blocked(outflow, 'message.length === 32 ||', 'false ||'),
    rawBytes,
    // Bytes that are text as well: nothing but their number gives them away.
    { kind: 'Message', message: `0x${'41'.repeat(32)}` },
  ),
  saying(
    'has the hash of a transaction of a Safe signed, written out in digits',
    blocked(outflow, '!/^\\s*(?:0x)?[0-9a-f]{64}\\s*$/i.test(fromUtf8(message))', 'true'),
    rawBytes,
    { kind: 'Message', message: `0x${Buffer.from('ab'.repeat(32)).toString('hex')}` },
  ),
  saying(
    'has a transaction signed that the server will send itself, past the policy on transfers',
    blocked(
      rules,
      "  const recipient = recipients.find((to) => !addresses.includes(to))\n  if (recipient === undefined) return passed('Every recipient is on the whitelist.')",
      "  const recipient = recipients.find(() => false)\n  if (recipient === undefined) return passed('Every recipient is on the whitelist.')",
    ),
    onlyTo(recipient),
    {
      kind: 'Transaction',
      transaction: `0x${toHex(toStranger)}`,
    },
  ),
]

const raw: readonly Attack[] = [
  attack(
    'signs the hash of a transfer with a key of no wallet, where a limit holds for all',
    blocked(
      'effects/plan.ts',
      "return { ...nothing, kind: 'raw', raw: true, signing: [signing] }",
      "return { ...nothing, kind: 'raw', raw: true, signing: [signing], outflow: { ...rawOutflow, isKnown: true, isRaw: false } }",
    ),
    async ({ stage, master }) => {
      const body = { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` }
      return under(stage, generous, () =>
        stage.use(stage.signature(stage.admin, master, { body }), master),
      )
    },
  ),
  attack(
    'signs with an Ed25519 key a message that is the transaction of a chain',
    blocked(
      'effects/plan.ts',
      'return rawEffect(ask.message, scheme)',
      'return { ...rawEffect(ask.message, scheme), outflow: { ...rawOutflow, isRaw: false } }',
    ),
    async ({ stage, raw: key }) =>
      under(stage, rawBytes, () => stage.use(stage.signature(stage.admin, key), key)),
  ),
  attack(
    'derives a secret with a key of which nobody can tell what that opens',
    blocked(
      'effects/plan.ts',
      "return { ...nothing, kind: 'derivation', raw: false, signing }",
      "return { ...nothing, kind: 'derivation', raw: false, signing, outflow: { ...rawOutflow, isRaw: false } }",
    ),
    async ({ stage, dh }) =>
      under(stage, rawBytes, () => stage.use(stage.derivation(stage.admin, dh), dh)),
  ),
  attack(
    'signs raw bytes though a policy blocks them',
    blocked(
      rules,
      "return isRaw ? triggered('The bytes are raw.')",
      "return false ? triggered('The bytes are raw.')",
    ),
    async ({ stage, raw: key }) =>
      under(stage, rawBytes, () => stage.use(stage.signature(stage.admin, key), key)),
  ),
  saying(
    'signs a delegation of the account itself (EIP-7702), where raw bytes are blocked',
    blocked(
      'effects/evm/effect.ts',
      '    outflow: isKnown ? nothingLeaves : rawOutflow,',
      '    outflow: nothingLeaves,',
    ),
    rawBytes,
    { kind: 'Eip7702', address: token, nonce: 1, chainId: 11155111 },
  ),
  attack(
    'signs a delegation for every chain there is (EIP-7702)',
    without(
      at(
        'effects/evm/effect.ts',
        'the authorization names another chain',
        'if (chainId !== context.network.chainId) throw refused',
      ),
      [
        'if (chainId !== context.network.chainId) throw refused',
        'if (chainId !== 0n && chainId !== context.network.chainId) throw refused',
      ],
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage)
      const body = { kind: 'Eip7702', address: token, nonce: 1, chainId: 0 }
      return stage.use(message(stage, wallet, body), wallet)
    },
  ),
  sending(
    'brings delegations to the chain by a payment that a limit allows (EIP-7702)',
    blocked(outflow, 'return tx.type === 4 ?', 'return tx.type === undefined ?'),
    rawBytes,
    {
      ...{ type: 4, to: recipient, value: '1' },
      authorizationList: [
        { chainId: 11155111, address: token, nonce: 1, yParity: 0, r: '1', s: '1' },
      ],
    },
  ),
  attack(
    'has the account’s own code do what looks like a transfer of a coin (EIP-7702)',
    blocked(outflow, 'return data.length > 0 && to', 'return data.length > 1e6 && to'),
    async ({ stage }) => {
      const wallet = await guarded(stage, onlyTo(recipient))
      const to = addressOf(tableNetworks, 'EthereumSepolia', wallet.key.statement.publicKey)
      const data = call(erc20.transfer, someone, 1n)
      return stage.use(transaction(stage, wallet, { to, data }), wallet)
    },
  ),
  attack(
    'has a Safe ask the account’s own code for what looks like a transfer of a coin (EIP-7702)',
    blocked(
      outflow,
      'return isOwnCode(tx, bounds) ?',
      'return depth === 0 && isOwnCode(tx, bounds) ?',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, onlyTo(recipient))
      const own = addressOf(tableNetworks, 'EthereumSepolia', wallet.key.statement.publicKey)
      const data = execution({ to: BigInt(own ?? ''), data: call(erc20.transfer, someone, 1n) })
      return stage.use(transaction(stage, wallet, { to: token, data }), wallet)
    },
  ),
]

const limits: readonly Attack[] = [
  attack(
    'drains a wallet by its fees, though what it pays is within the limit',
    blocked(
      rules,
      'const parts = fee === undefined ? movements : [...movements, fee]',
      'const parts = movements.slice(0, fee === undefined ? undefined : movements.length)',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, limit(10n ** 12n))
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n }), wallet)
    },
  ),
  attack(
    'pays more at once than a limit allows',
    blocked(rules, 'const isAbove = value > limit', 'const isAbove = value < 0n && value > limit'),
    async ({ stage }) => {
      const wallet = await guarded(stage, limit(10n ** 16n))
      const body = { amount: `${10n ** 17n}` }
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n, body }), wallet)
    },
  ),
  attack(
    'hides the amount by bytes that nobody understands, under a limit on an asset',
    blocked(
      rules,
      '  const what = `Amount of ${asset}`\n  if (isOpaque(outflow))',
      '  const what = `Amount of ${asset}`\n  if (false)',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, generous)
      return stage.use(transaction(stage, wallet, { to: token, data: '0x12345678' }), wallet)
    },
  ),
  attack(
    'hides the recipient by bytes that nobody understands, under a whitelist',
    blocked(
      rules,
      'if (isOpaque(outflow) || isNone) return undefined',
      'if (isNone) return undefined',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, onlyTo(token))
      const object = { to: token, value: '1', data: '0x12345678' }
      return stage.use(transaction(stage, wallet, object), wallet)
    },
  ),
  attack(
    'signs by the key itself what a policy blocks for its wallet',
    blocked(
      'authority/reduce/gate.ts',
      '    wallets: wallets.map(({ wallet }) => ({',
      '    wallets: wallets.slice(wallets.length).map(({ wallet }) => ({',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, {})
      const transfer = { to: recipient, value: '1' }
      const evidence = stage.signature(stage.admin, wallet, {
        body: { kind: 'Transaction', transaction: transfer, network: 'EthereumSepolia' },
        ...{ maxFee: usualMaxFee, facts: encodeFacts(evmFacts(0n)) },
      })
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'takes the tag away by which a policy knew the wallet, without a right to',
    unauthorized,
    async ({ stage, bob }) => {
      const { wallet } = await tagged(stage)
      return stage.propose('tags', untagging(stage, bob, wallet))
    },
    asVariant,
  ),
  attack(
    'pays from a wallet that bears the tag of a policy',
    blocked(
      'policy/evaluate.ts',
      'const has = (tag: string) => wallets.some(({ tags }) => tags.includes(tag))',
      'const has = (tag: string) => tag === undefined && wallets.length > 0',
    ),
    async ({ stage }) => {
      const { wallet } = await tagged(stage)
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n }), wallet)
    },
  ),
  attack(
    'pays from a wallet that a policy names',
    blocked(
      'policy/evaluate.ts',
      'wallets.some(({ id }) => ids.includes(id))',
      'wallets.every(({ id }) => !ids.includes(id))',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, {})
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n }), wallet)
    },
  ),
]

async function tagged(stage: Stage): Promise<{ readonly wallet: Wallet }> {
  const wallet = await stage.createWallet(stage.admin, { tags: ['cold'] })
  await lay(stage, { action: block, filters: { walletTags: { hasAny: ['cold'] } } })
  return { wallet }
}

function untagging(stage: Stage, by: Stage['admin'], { id, name }: Wallet) {
  const wish = { method: 'DELETE', path: `/wallets/${name}/tags`, body: { tags: ['cold'] } }
  return stage.ask(by, { ...wish, ids: { walletId: id } })
}

export const hiding: readonly Attack[] = [...calls, ...moves, ...signatures, ...raw, ...limits]
