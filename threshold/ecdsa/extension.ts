import { equalBytes } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { receiveColumns, rowsOf, sendColumns } from '../kernel/bits.ts'
import { expand, tweakedHash } from './cipher.ts'
import { checkBits, deltaBits, extendedSize, leafSize, rowCount, treeCount } from './parameters.ts'
import type { Leaves, Punctured } from './tree.ts'
import { asBytes, bitAt, multiplyBits, parity, toWords, xorInto } from './words.ts'

const rowWords = deltaBits / 32
const choiceWords = rowCount / 32
const lineWords = rowCount / 32

/** The receiver's one message. It says nothing of the choice to who knows neither seeds nor Δ. */
export type ExtensionMessage = {
  /** For each tree: the sum of its leaves' streams, plus the choice. */
  readonly corrections: Uint8Array
  /** R · choice + mask. */
  readonly fold: Uint8Array
  /** The hash of R · V + mask, line by line. */
  readonly proof: Uint8Array
}

/** 512 rows of 128 bits: the receiver's v_j, or the sender's w_j = v_j + choice_j · Δ. */
export type Rows = Uint32Array

/**
 * Oblivious transfer extension, receiver's side: SoftSpoken (ePrint 2022/192), figures 7 and 8, with
 * p = 2 and k = 2 and the repetition code. The check is its universal hash with the uniform binary matrix
 * R, 256 by 512, and a mask of 256 further rows, made non-interactive (DKLs23, section 5.1).
 *
 * @param label never repeats with another choice: it holds this party's own fresh nonce
 * @param choice 768 bits: the choice of 512 rows, then the mask
 */
export function extendAsReceiver(
  label: Uint8Array,
  leaves: Leaves,
  choice: Uint32Array,
): { readonly message: ExtensionMessage; readonly rows: Rows } {
  return closeExtension(label, choice, openExtension(label, leaves, choice))
}

type Columns = { readonly corrections: Uint32Array; readonly columns: Uint32Array }

/** The corrections, and V by columns. */
export function openExtension(label: Uint8Array, leaves: Leaves, choice: Uint32Array): Columns {
  const streams = streamsOf(label, leaves)
  const { corrections, columns } = receiveColumns(streams, asBytes(choice))
  streams.fill(0)
  return { corrections: toWords(corrections), columns: toWords(columns) }
}

/** The check's answer to the challenge that the corrections give rise to. */
export function closeExtension(
  label: Uint8Array,
  choice: Uint32Array,
  { corrections, columns }: Columns,
): { readonly message: ExtensionMessage; readonly rows: Rows } {
  const rows = toWords(rowsOf(asBytes(columns)))
  const sent = asBytes(corrections)
  const matrix = matrixOf(label, sent)
  const proof = proofOf(label, foldRows(matrix, rows))
  const message = { corrections: sent, fold: foldBits(matrix, choice), proof }
  return { message, rows: rows.slice(0, rowCount * rowWords) }
}

/**
 * The sender's side.
 * @returns nothing when the receiver did not use one choice in all trees, or bet on bits of Δ and
 *   lost: the pair is burned
 */
export function extendAsSender(
  label: Uint8Array,
  { delta, leaves }: Punctured,
  { corrections, fold, proof }: ExtensionMessage,
): Rows | undefined {
  const streams = streamsOf(label, leaves)
  const columns = sendColumns(streams, corrections, delta)
  streams.fill(0)
  const rows = toWords(rowsOf(columns))
  columns.fill(0)
  const secret = toWords(delta)
  const folded = foldRows(matrixOf(label, corrections), rows)
  const bits = toWords(fold)
  for (let line = 0; line < checkBits; line++)
    xorInto(folded, line * rowWords, secret, 0, rowWords, -bitAt(bits, line))
  if (!equalBytes(proofOf(label, folded), proof)) return undefined
  return rows.slice(0, rowCount * rowWords)
}

/** 768 bits from each leaf, by one cipher key for all. */
function streamsOf(label: Uint8Array, leaves: Uint8Array): Uint8Array {
  const key = hashOf('quorate/ecdsa/extension/streams/v1', label)
  const inputsPerIndex = leaves.length / leafSize / treeCount
  return tweakedHash(key, leaves, { blocksEach: extendedSize / 16, inputsPerIndex })
}

function matrixOf(label: Uint8Array, corrections: Uint8Array): Uint8Array {
  const size = (checkBits * rowCount) / 8
  return expand(size, 'quorate/ecdsa/extension/matrix/v1', label, corrections)
}

function foldRows(matrix: Uint8Array, rows: Uint32Array): Uint32Array {
  const folded = multiplyBits(matrix, rows, rowCount)
  xorInto(folded, 0, rows, rowCount * rowWords, checkBits * rowWords)
  return folded
}

function foldBits(matrix: Uint8Array, choice: Uint32Array): Uint8Array {
  const lines = toWords(matrix)
  const fold = choice.slice(choiceWords)
  for (let line = 0; line < checkBits; line++) {
    let sum = 0
    for (let i = 0; i < lineWords; i++) sum ^= (lines[line * lineWords + i] ?? 0) & (choice[i] ?? 0)
    fold[line >>> 5] = (fold[line >>> 5] ?? 0) ^ (parity(sum) << (line & 31))
  }
  return asBytes(fold)
}

function proofOf(label: Uint8Array, folded: Uint32Array): Uint8Array {
  return hashOf('quorate/ecdsa/extension/proof/v1', label, asBytes(folded))
}
