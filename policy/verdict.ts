/** What a rule says of a request. A hold names nobody yet: who may release it is the policy's to say. */
export type Verdict =
  | { readonly verdict: 'allow' }
  | { readonly verdict: 'hold'; readonly reason: string }
  | { readonly verdict: 'deny'; readonly reason: string }

export const allow: Verdict = { verdict: 'allow' }

export function deny(reason: string): Verdict {
  return { verdict: 'deny', reason }
}

/** The strictest of several verdicts, the first of its kind: one denial denies. */
export function strictest(verdicts: readonly Verdict[]): Verdict {
  return (
    verdicts.find(({ verdict }) => verdict === 'deny') ??
    verdicts.find(({ verdict }) => verdict === 'hold') ??
    allow
  )
}
