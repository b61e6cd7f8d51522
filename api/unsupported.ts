import { z } from 'zod'

/**
 * Members and kinds that the official client may send and this platform does not serve yet. They
 * are told apart from nonsense: ignoring an option that somebody relies on is how money is lost.
 */
export const unsupported = z.custom<undefined>((value) => value === undefined, notYet()).optional()

/** As `unsupported`; but an empty text, which clients send for none, asks for nothing. */
export const unsupportedText = z
  .custom<'' | undefined>((value) => value === undefined || value === '', notYet())
  .optional()

function notYet() {
  return { error: 'is not supported yet', params: { unsupported: true } }
}

/** One of the values that are served, out of the larger set that the client knows. */
export function supported<const T extends readonly [string, ...string[]]>(
  values: T,
): z.ZodType<T[number], T[number]> {
  const known: ReadonlySet<string> = new Set(values)
  // What is no text at all, or not there, is a mistake and nothing that could be served one day.
  return z
    .custom<T[number]>((value) => typeof value === 'string', { error: 'not a text', abort: true })
    .refine((value) => known.has(value), {
      error: `is not supported yet, other than ${values.join(', ')}`,
      params: { unsupported: true },
    })
}

/** A union by `kind` of which only some kinds are served. */
export function supportedKinds<T extends z.ZodType>(
  schema: T,
  kinds: readonly string[],
): z.ZodPipe<z.ZodUnknown, T> {
  const known: ReadonlySet<unknown> = new Set(kinds)
  return z
    .unknown()
    .superRefine((value, context) => {
      const kind: unknown =
        typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
      if (typeof kind !== 'string' || known.has(kind)) return
      context.addIssue({
        code: 'custom',
        path: ['kind'],
        message: `${kind.slice(0, kindLengthMax)} is not supported yet, other than ${kinds.join(', ')}`,
        params: { unsupported: true },
        continue: false,
      })
    })
    .pipe(schema)
}

/** Enough for the longest kind of the official client, too little for a message of one's own. */
const kindLengthMax = 40

export function isUnsupported(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'custom' && issue.params?.['unsupported'] === true
}
