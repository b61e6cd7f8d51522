const decimals = 6
const unit = 10n ** BigInt(decimals)

/** Millionths as people write them: `1500000` is `1.5`. */
export function microsToText(micros: bigint): string {
  const rest = (micros % unit).toString().padStart(decimals, '0').replace(/0+$/, '')
  return rest === '' ? `${micros / unit}` : `${micros / unit}.${rest}`
}

/** @returns nothing for what is no natural decimal with at most six places and 24 before them */
export function textToMicros(text: string): bigint | undefined {
  const [, whole, places = ''] = /^(0|[1-9][0-9]{0,23})(?:\.([0-9]{1,6}))?$/.exec(text) ?? []
  if (whole === undefined) return undefined
  return BigInt(whole) * unit + BigInt(places.padEnd(decimals, '0'))
}

/** @returns nothing unless the number is one that such a decimal gives, so that it is exactly meant */
export function numberToMicros(value: number): bigint | undefined {
  if (!Number.isFinite(value) || Object.is(value, -0)) return undefined
  const micros = textToMicros(value.toFixed(decimals))
  return micros !== undefined && microsToNumber(micros) === value ? micros : undefined
}

/** Exact up to a thousand million: fifteen digits, and IEEE 754 has room for them. */
export function microsToNumber(micros: bigint): number {
  return Number(microsToText(micros))
}
