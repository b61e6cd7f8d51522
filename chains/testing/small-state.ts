/** An account of the small chain. */
export type Account = {
  readonly nonce: number
  readonly balance: bigint
  /** Units of the coin. */
  readonly units: bigint
  /** Whose code it runs (EIP-7702). */
  readonly delegate: string | undefined
  /** What the account contract has carried out for it: there too it is in the account's own memory. */
  readonly used: ReadonlySet<string>
}
/** Addresses in lower case, as all addresses here. */
export type Call = {
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly data: string
}
/** As a receipt has it; where it stands is the block's to say. */
export type Log = {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}
/** What a contract can see of where it runs. */
export type Around = { readonly chainId: number; readonly timestamp: number }
/** What has come of a call, and the gas it took beyond what every transaction takes. */
export type Outcome =
  | {
      readonly ok: true
      readonly output: string
      readonly gas: bigint
      readonly logs: readonly Log[]
    }
  | { readonly ok: false; readonly gas: bigint }

export const nobody: Account = {
  ...{ nonce: 0, balance: 0n, units: 0n },
  ...{ delegate: undefined, used: new Set<string>() },
}

/** Accounts as something that may yet fail would leave them. */
export class Draft {
  readonly changed = new Map<string, Account>()
  private readonly before: (address: string) => Account

  constructor(before: (address: string) => Account) {
    this.before = before
  }

  readonly account = (address: string): Account => this.changed.get(address) ?? this.before(address)

  change(address: string, to: Partial<Account>): void {
    this.changed.set(address, { ...this.account(address), ...to })
  }

  pay({ from, to, value }: Pick<Call, 'from' | 'to' | 'value'>): void {
    this.change(from, { balance: this.account(from).balance - value })
    this.change(to, { balance: this.account(to).balance + value })
  }

  payUnits({ from, to, value }: Pick<Call, 'from' | 'to' | 'value'>): void {
    this.change(from, { units: this.account(from).units - value })
    this.change(to, { units: this.account(to).units + value })
  }
}
