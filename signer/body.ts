import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import { decodeBody, type Body } from '@quorate/authority/body'
import { isOpaqueStep } from '@quorate/authority/opaque-step'
import { isFailure } from '@quorate/core/failure'
import type { Place } from './store/store.ts'

/** A step is looked at several times on its way; its bytes never change. */
const read = new WeakMap<Uint8Array, Body | undefined>()

/** The step with what lies beside it, or nothing when the bytes are not that. */
export function bodyOf({ bytes }: Pick<OpaqueStep, 'bytes'>): Body | undefined {
  if (!read.has(bytes)) read.set(bytes, parse(bytes))
  return read.get(bytes)
}

export function isStepOf(place: Place, step: OpaqueStep): boolean {
  return bodyOf(step) !== undefined && isOpaqueStep(place, step)
}

function parse(bytes: Uint8Array): Body | undefined {
  try {
    return decodeBody(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
