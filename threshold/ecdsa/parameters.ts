/**
 * Sizes of the two-party multiplication. Every number is derived, with its bound, in
 * docs/protocols/dkls23.md; the symbols are those of DKLs23 (ePrint 2023/765) and SoftSpoken
 * (ePrint 2022/192).
 */

/** λc: bits of the correlation Δ, hence base oblivious transfers per direction of a pair. */
export const deltaBits = 128

/** k = 2: two base transfers open all but one of the four leaves of a tree. */
export const treeCount = deltaBits / 2
export const leafCount = 4
export const leafSize = 16

/** ξ = κ + 2λs with λs = 128: choice bits of one multiplication. */
export const rowCount = 512

/** Bits of the consistency check, and as many mask rows that hide the choice bits from it. */
export const checkBits = 256

export const extendedRows = rowCount + checkBits
export const extendedSize = extendedRows / 8

/** ℓ = 2 products (by the nonce and by the key) and ρ = 1 check column. */
export const columnCount = 3

export const scalarSize = 32

/** More signers than this no cluster has; it bounds every list in a message. */
export const partiesMax = 7

/** Bytes of the messages' larger fields, in the order in which they are sent. */
export const elementSize = 32
export const offersSize = deltaBits * elementSize
export const slotsSize = deltaBits * 2 * elementSize
export const treeCorrectionsSize = treeCount * 2 * leafSize
export const treeSumsSize = treeCount * 32
export const correctionsSize = treeCount * extendedSize
export const foldSize = checkBits / 8
export const maskedSize = rowCount * columnCount * scalarSize
