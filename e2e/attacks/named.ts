/**
 * The attacks that everybody knows by a name, and what of the suite they are here. `tests` stand
 * elsewhere: what a stranger may try on a server that is not his, where a hostile one needs no attack.
 */
export type Named = {
  readonly name: string
  readonly attacks: readonly string[]
  /** What there is to say where the attack is not what it is elsewhere. */
  readonly note?: string
  readonly tests?: readonly { readonly file: string; readonly name: string }[]
}

export const named: readonly Named[] = [
  {
    name: 'inject a user',
    attacks: ['invents a user and signs as him', 'adds a user to the log without anybody’s word'],
  },
  {
    name: 'grant itself a right',
    attacks: [
      'gives rights to itself as a user whom nobody has confirmed',
      'makes a permission of its own under the name of the right to everything',
      'widens the permission that may not be changed',
    ],
  },
  {
    name: 'shadow credential by invitation',
    attacks: [
      'signs as an invited user with credentials that it registered itself',
      'registers its own key where the invitation has pinned another',
    ],
  },
  {
    name: 'shadow credential by device code',
    attacks: [
      'signs with a device that came by a code',
      'brings a device by a code that nobody asked for',
      'brings a second device by one code',
    ],
  },
  {
    name: 'shadow credential by social login',
    attacks: [
      'signs as an end user whom it has born by social login, with a token that it made itself',
      'has an end user born by social login where no provider is trusted',
      'names a user that is there already in the social login of somebody else',
    ],
  },
  {
    name: 're-register',
    attacks: ['registers a user who has registered', 'uses the challenge of a registration twice'],
  },
  {
    name: 'drop from the log',
    attacks: [
      'drops the newest step and goes on from the one before',
      'keeps back the certificate of a revocation that the signers have sealed',
    ],
  },
  { name: 'reorder the log', attacks: ['shows a later step before the one that it follows'] },
  {
    name: 'fork the log',
    attacks: ['forks the log behind its head', 'has two payments voted for at one place'],
  },
  {
    name: 'roll the log back',
    attacks: [
      'drops the newest step and goes on from the one before',
      'opens a second root stream for the organization, where nothing was used yet',
    ],
  },
  {
    name: 'two worlds',
    attacks: [
      'lives in two worlds, and tells two signers of two payments at one place',
      'has a step sealed with one vote too few',
      'counts the vote of the corrupt signer twice',
    ],
    tests: [
      {
        file: 'e2e/attacks/two-worlds.test.ts',
        name: 'does not have one payment signed twice, though it lives in two worlds itself',
      },
    ],
  },
  {
    name: 'replay an assertion',
    attacks: [
      'pays twice under one signature, at another nonce',
      'pays once more by another signature of the same request',
    ],
  },
  {
    name: 'swap a body after signing',
    attacks: [
      'pays somebody else than was signed',
      'swaps the credentials in a registration after its challenge',
    ],
  },
  {
    name: 'swap a query after signing',
    attacks: ['adds force=true to a removal that was signed without it'],
  },
  {
    name: 'force=true',
    attacks: [
      'adds force=true to a removal that was signed without it',
      'has force signed twice, for readers that disagree about which counts',
      'has force signed in a spelling that a laxer reader takes for it',
    ],
  },
  {
    name: 'a login turned into an export',
    note: 'there is no export yet; a login is no action, whatever its path',
    attacks: ['makes a transfer of a login', 'makes an action of the request for a login'],
  },
  {
    name: 'archived credential',
    attacks: [
      'signs with a credential that its user has archived',
      'signs with a credential that its user has deactivated',
      'signs with a key from before a recovery',
    ],
  },
  {
    name: 'an end user reaching the wallet of another',
    attacks: [
      'has one customer pay with the wallet of another',
      'has a customer pay with a wallet of the organization',
      'has a customer stop the wallet of another',
    ],
  },
  {
    name: 'recovery hijack',
    attacks: [
      'recovers a user by the mailed code alone',
      'recovers the administrator by the recovery key of another user',
      'swaps the new credentials behind the signature of the recovery key',
    ],
  },
  {
    name: 'back-dated waiting period',
    attacks: [
      'dates a recovery back, to shorten its waiting period',
      'shows a recovery to nobody until its waiting period is over',
      'uses the new credentials before the waiting period is over',
    ],
  },
  {
    name: 'origins downgraded',
    attacks: [
      'has a passkey touched on a page of its own',
      'has a passkey touched in a frame of another site',
      'keeps a page in use that the organization has taken from its settings',
    ],
  },
  {
    name: 'relying party downgraded',
    attacks: [
      'has a passkey of another relying party sign',
      'registers a passkey of a page of its own',
    ],
  },
  {
    name: 'user verification downgraded',
    attacks: [
      'has a passkey sign that does not know who touched it',
      'has a passkey sign that nobody has touched',
      'registers a passkey that does not know its user',
    ],
  },
  {
    name: 'JWT algorithm confusion',
    note: 'a signer reads no such token; who owns the server lets himself in, and is nobody to signers',
    attacks: [
      'signs as an end user whom it has born by social login, with a token that it made itself',
      'brings a request that nobody has signed',
    ],
    tests: [
      {
        file: 'e2e/login.test.ts',
        name: 'is forged with no algorithm, the public key as a secret, another key or audience',
      },
      {
        file: 'server/oidc/issuers.test.ts',
        name: 'is not verified with a public key as if that were a secret',
      },
      {
        file: 'server/oidc/issuers.test.ts',
        name: 'is not verified with an algorithm that is not in our list, sound though it be',
      },
    ],
  },
  {
    name: 'a store restored from an hour ago',
    attacks: [
      'has a signer started on its store of an hour ago',
      'has a signer started on all its files of an hour ago, and asks for a vote that it has given',
    ],
  },
  {
    name: 'a second mailbox that gives instead of taking away',
    attacks: [
      'lifts a freeze by a word in the second mailbox',
      'stops the wallet of one customer by the word of another',
      'turns a signed word against another key',
    ],
  },
  {
    name: 'a derived key that is somebody else’s',
    attacks: [
      'derives a key at another path than its user has signed',
      'derives a second key at a path that has one',
      'derives a key of the organization from the master of a customer',
      'enters a child under a public key of its own',
      'has signers derive from the share of another master, which their own key has sealed',
    ],
  },
  {
    name: 'a signing key as an oracle of Diffie and Hellman',
    attacks: [
      'asks a key that signs for its multiple of a point',
      'has a key sign that is multiplied with points',
    ],
  },
  {
    name: 'a Taproot key that signs for another script tree',
    attacks: [
      'swaps the script tree behind a signed request',
      'has a key of a script tree sign as itself, as if nothing hung on it',
      'has a key that signs as itself sign for a script tree',
    ],
  },
  {
    name: 'one pooled key for two owners',
    attacks: [
      'binds one key of the pool to two owners',
      'binds a pooled key to two wallets within one step',
      'has a wallet rest on a pooled key of its own making',
    ],
  },
  {
    name: 'honest signers turned against each other',
    note: 'there is no word by which a server could claim a strike or a burned pair',
    attacks: [
      'has a lie of its own struck against an honest signer, and their pair burned',
      'brings the word of an honest signer from another session, to have it struck',
      'keeps back what an honest signer has sent, to have it struck',
    ],
  },
  {
    name: 'a burned pair used again',
    attacks: [
      'bets once more on the secret of a pair, after a lost bet and a restart',
      'places bets side by side, of which the first is lost',
      'sets a burned pair up anew',
    ],
  },
  {
    name: 'two digests shown to the signers of one session',
    note: 'its id holds the step, so that two digests are two sessions',
    attacks: [
      'has two signers sign two digests in one session, and one of them struck for it',
      'asks for a share of a second digest that nobody has agreed to',
    ],
  },
  {
    name: 'an address of the server’s own',
    attacks: [
      'gives a client an address of its own for a wallet on a derived key',
      'gives a client a derived key of its own, with its address',
      'shows a client the certificate of another master',
      'shows a client a derivation at another path, which one signer alone has sealed',
    ],
  },
  {
    name: 'a hash instead of a transaction',
    attacks: [
      'signs the hash of a transfer with a key of no wallet, where a limit holds for all',
      'has the hash of a user operation signed as a message',
      'has the hash of a transaction of a Safe signed, written out in digits',
      'signs raw bytes though a policy blocks them',
    ],
  },
  {
    name: 'multicall and delegatecall',
    attacks: [
      'hides what it moves in a multicall',
      'hides an approval without end beside a transfer, in a multicall',
      'pays a stranger by the second call of a multicall',
      'has a Safe call by delegation what the key may not',
      'has a Safe refund whoever brings its payment, as much as he likes',
    ],
  },
  {
    name: 'permit and Permit2',
    attacks: [
      'has a permit signed as typed data',
      'has a permit of Permit2 signed as typed data',
      'brings a permit of its own into the token',
      'calls Permit2 to hand over what was approved to it',
      'lets somebody take more of a coin than its limit allows, by a permit',
      'lets somebody who may be paid take all there is, by a permit',
      'has what looks like a permit of Permit2 signed for another contract',
    ],
  },
  {
    name: 'approve, then transferFrom',
    attacks: [
      'approves what it takes later by transferFrom',
      'approves without end for somebody who may be paid',
    ],
  },
  {
    name: 'a delegated account (EIP-7702)',
    attacks: [
      'signs a delegation of the account itself (EIP-7702), where raw bytes are blocked',
      'signs a delegation for every chain there is (EIP-7702)',
      'brings delegations to the chain by a payment that a limit allows (EIP-7702)',
      'has the account’s own code do what looks like a transfer of a coin (EIP-7702)',
    ],
  },
  {
    name: 'user operations and a paymaster',
    note: 'a fee sponsor, and a contract that takes what its account has signed from that sponsor alone',
    attacks: [
      'has a sponsor pay for what no key of the wallet has signed',
      'has a sponsor pay for one request with the signature for another one',
      'has a sponsor pay for other operations than its user has asked for',
      'has a hash of operations signed as typed data, past a policy on raw bytes',
      'has a sponsor pay twice for one request',
      'drains a sponsor by one operation after the other, be it that each reverts',
      'has a sponsor hand an account over to another contract, which its user once wanted',
    ],
    tests: [
      {
        file: 'chains/evm/account/account.test.ts',
        name: 'does nothing twice if it is called again while it does it',
      },
      {
        file: 'chains/evm/account/account.test.ts',
        name: 'not who is not the sponsor that was named, be it with the very same bytes',
      },
    ],
  },
  {
    name: 'a lie about decimals',
    attacks: [
      'lies about the decimals of an asset, by more than any has',
      'says a price of far more of an asset than its signers do, as if it were of as much',
    ],
  },
  {
    name: 'dust',
    attacks: [
      'splits a payment into several, each within the limit',
      'pays in dust, of which each part is worth less than can be counted',
    ],
  },
  {
    name: 'a race for one limit',
    attacks: [
      'races two payments through two servers against one limit',
      'shows each of two payments to a quorum of its own, so that each is the first of the hour',
      'puts two payments into one step, so that neither sees the other',
    ],
  },
  {
    name: 'approving itself',
    attacks: [
      'has somebody approve his own request',
      'has somebody approve his own request through his own token',
      'has the administrator approve his own change of a permission',
    ],
  },
  {
    name: 'approving another body',
    attacks: [
      'brings the approval of one request to another body',
      'moves a decision to another approval of the same key',
      'changes a permission by the approval of a change to another body',
    ],
  },
  {
    name: 'a policy removed while it holds',
    attacks: [
      'removes a policy while it holds a request, and pays',
      'removes the policy that held a request when its approver has gone',
    ],
  },
  {
    name: 'a stale price',
    attacks: [
      'counts by a price of yesterday, when an ether was worth nothing',
      'makes a price fresh that is of yesterday, as in the stale files of all signers',
    ],
  },
  {
    name: 'a price made up',
    note: 'where the organization believes the server’s prices, nobody else’s word stands against it',
    attacks: [
      'makes up a fresh price, by which a fortune is worth nothing',
      'makes a price up where the signers’ own files are missing',
      'hides a made-up price behind a payment at the right one, in one step',
    ],
  },
  {
    name: 'a deny list with a hole',
    attacks: [
      'leaves a recipient out of its deny list whom the signers have on theirs',
      'passes a recipient by a list of its own where the signers’ lists are missing',
      'passes a recipient whom the signers’ lists of the day before yesterday could not hold yet',
    ],
  },
  {
    name: 'games with the clock',
    attacks: [
      'dates a payment into the next hour, when the limit is another one',
      'dates a decision back to when the approval could be decided',
      'counts by a price of tomorrow',
    ],
  },
  {
    name: 'a fee drain',
    attacks: [
      'drains a wallet by its fees, though what it pays is within the limit',
      'drains a wallet by the fees of many payments that are next to nothing',
      'drains a wallet by a fee that the limit in dollars does not see',
    ],
  },
  {
    name: 'one key on two networks',
    attacks: [
      'puts two networks on one key, whose signatures could be taken for each other’s',
      'has the wallet on one network sign a transaction on the other network of its key',
      'has the wallet on one network sign a permit for the other network of its key',
      'puts a second wallet of one network on a key',
      'pays once on each network of a key, where a policy lets it pay once',
      'spends what a limit in dollars allows on each network of a key',
    ],
  },
  {
    name: 'a policy evaded through a second wallet of the key',
    attacks: ['pays by the second wallet of a key what a policy blocks for the first'],
  },
  {
    name: 'around a policy by another way to its key',
    attacks: [
      'signs by the key itself what a policy blocks for its wallet',
      'has a transaction signed that the server will send itself, past the policy on transfers',
    ],
  },
  {
    name: 'break-glass in silence',
    attacks: [
      'ends a policy and lets nobody into the log who stops that',
      'shows the end of a policy to nobody until its wait is over',
    ],
  },
]
