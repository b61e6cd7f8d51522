import { curveOf, type EcdsaCurveName } from './curve.ts'
import {
  correctionsSize,
  elementSize,
  foldSize,
  maskedSize,
  offersSize,
  scalarSize,
  slotsSize,
  treeCorrectionsSize,
  treeSumsSize,
} from './parameters.ts'

const hash = 32
const count = 4
const tag = (name: string): number => 4 + name.length

/** Bytes of each body, so that a carrier can refuse others unread. Nothing here varies in length. */
export type EcdsaSizes = {
  readonly announcement: number
  readonly extension: number
  readonly product: number
  readonly closing: number
}

export function ecdsaSizes(curve: EcdsaCurveName, t: number): EcdsaSizes {
  const { domain, group } = curveOf(curve)
  const name = (end: string): number => tag(`${domain}/${end}`)
  return {
    announcement: name('1') + 2 * hash + 2 * (count + (t - 1) * hash),
    extension: name('1/extension') + correctionsSize + foldSize + hash,
    product: name('2') + maskedSize + 4 * group.wireSize + 2 * scalarSize + 3 * hash,
    closing: name('3') + group.wireSize + hash + 2 * scalarSize,
  }
}

/** Of the three messages of a pair setup, in order. */
export const pairSizes = [
  tag('quorate/ecdsa/pair/1') + hash + elementSize + offersSize + slotsSize,
  tag('quorate/ecdsa/pair/2') + 2 * hash + treeCorrectionsSize + treeSumsSize + hash,
  tag('quorate/ecdsa/pair/3') + hash,
] as const
