type Environment = Readonly<Record<string, string | undefined>>
type Reader<T> = (text: string) => T | undefined
export type Setting<T> = {
  readonly name: string
  readonly about: string
  readonly read: Reader<T>
  readonly fallback?: T
}

export const port: Reader<number> = (text) =>
  /^[0-9]{1,5}$/.test(text) && Number(text) <= 65535 ? Number(text) : undefined
export const filled: Reader<string> = (text) => (text.trim() === '' ? undefined : text)
export const hex32: Reader<string> = (text) => (/^[0-9a-f]{64}$/.test(text) ? text : undefined)
export const count: Reader<number> = (text) =>
  /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined

/**
 * Reads a process's whole environment at once and reports all mistakes together, so that nobody
 * fixes them one restart at a time. With `prefix`, a name that bears it and is not known is a
 * mistake too.
 */
export function readSettings<T extends Record<string, unknown>>(
  env: Environment,
  settings: { readonly [K in keyof T]: Setting<T[K]> },
  prefix?: string,
): T {
  const mistakes: string[] = []
  const values: Partial<T> = {}
  for (const key in settings) {
    const { name, about, read, fallback } = settings[key]
    const text = env[name]
    const value = text === undefined ? fallback : read(text)
    if (value === undefined)
      mistakes.push(`${name} is ${text === undefined ? 'missing' : 'not valid'}: ${about}`)
    else values[key] = value
  }
  const known = new Set(Object.values<Setting<unknown>>(settings).map(({ name }) => name))
  for (const name of Object.keys(env))
    if (prefix !== undefined && name.startsWith(prefix) && !known.has(name))
      mistakes.push(`${name} is not a setting of this process`)
  if (mistakes.length > 0) throw new Error(`Cannot start.\n  ${mistakes.join('\n  ')}`)
  return values as T
}
