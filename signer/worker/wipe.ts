/**
 * Overwrites all bytes that this is made of: of arrays and plain objects, as deep as they go. What is
 * a number, a bigint or an instance of a class stays as it is.
 */
export function wipe(secret: unknown): void {
  if (secret instanceof Uint8Array) secret.fill(0)
  else if (Array.isArray(secret)) secret.forEach(wipe)
  else if (isPlain(secret)) Object.values(secret).forEach(wipe)
}

/** Of parts, those to one receiver alone: a broadcast is no secret. */
export function wipeDirect(
  parts: readonly { readonly to: number | '*'; readonly body: Uint8Array }[],
): void {
  for (const { to, body } of parts) if (to !== '*') body.fill(0)
}

function isPlain(value: unknown): value is object {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  )
}
