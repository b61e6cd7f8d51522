import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import { decodeBody, type Body } from '@quorate/authority/body'
import { isOpaqueStep } from '@quorate/authority/opaque-step'
import { isFailure } from '@quorate/core/failure'
import type { Place } from './store/store.ts'

export function isStepOf(place: Place, step: OpaqueStep): boolean {
  return bodyOf(step) !== undefined && isOpaqueStep(place, step)
}

/** The step with what lies beside it, or nothing when the bytes are not that. */
export function bodyOf({ bytes }: Pick<OpaqueStep, 'bytes'>): Body | undefined {
  try {
    return decodeBody(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
