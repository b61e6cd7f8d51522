import { bytesToBig } from '@quorate/core/bytes'

/** What the kernel computes, in whole numbers and as it stands in the paper. For tests only. */
export const moduli = {
  secp256k1: {
    value: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    bits: 256,
  },
  stark: {
    value: 0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2fn,
    bits: 251,
  },
} as const

/** Of the groups that no multiplication by transfers is made on, too. */
export const orders = {
  ...moduli,
  ed25519: {
    value: 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn,
    bits: 252,
  },
} as const

/** Least significant byte first, 32 each. */
export function numbersIn(bytes: Uint8Array): readonly bigint[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    bytesToBig(bytes.slice(i * 32, i * 32 + 32).reverse()),
  )
}

export function bitAt(bytes: Uint8Array, index: number): bigint {
  return BigInt(((bytes[index >>> 3] ?? 0) >>> (index & 7)) & 1)
}

export type Oracle = ReturnType<typeof oracleOf>

export function oracleOf(order: bigint) {
  const mod = (value: bigint): bigint => ((value % order) + order) % order
  return {
    mod,
    mask: (zero: readonly bigint[], one: readonly bigint[], factors: readonly bigint[]) =>
      zero.map((pad, i) => mod(pad - (one[i] ?? 0n) + (factors[i % factors.length] ?? 0n))),

    close(input: {
      readonly pads: readonly bigint[]
      readonly masked: readonly bigint[]
      readonly choice: Uint8Array
      readonly gadget: readonly bigint[]
      readonly theta: readonly [bigint, bigint]
      readonly due: bigint
    }) {
      const { pads, masked, choice, gadget, theta, due } = input
      const rows = gadget.map((_, row) =>
        [0, 1, 2].map((column) => {
          const at = row * 3 + column
          return (pads[at] ?? 0n) + bitAt(choice, row) * (masked[at] ?? 0n)
        }),
      )
      const mu = rows.map(([a = 0n, b = 0n, c = 0n], row) =>
        mod(c + theta[0] * a + theta[1] * b - bitAt(choice, row) * due),
      )
      const sum = (column: number) =>
        mod(gadget.reduce((total, g, row) => total + g * (rows[row]?.[column] ?? 0n), 0n))
      return { mu, sums: [sum(0), sum(1)] }
    },

    select: (gadget: readonly bigint[], choice: Uint8Array) =>
      mod(gadget.reduce((total, g, row) => total + bitAt(choice, row) * g, 0n)),
  }
}
