import assert from 'node:assert/strict'
import { assemble, type Routine } from './assembler.ts'

const pageSize = 65_536

export type Engine = {
  readonly data: Uint8Array
  /** Runs a routine on addresses and counts. */
  readonly run: (name: string, ...parameters: readonly number[]) => void
}

/** Assembles, compiles and starts a module: a tenth of a second, once per process and module. */
export function engineOf(routines: readonly Routine[], size: number): Engine {
  const bytes = assemble(routines, Math.ceil(size / pageSize))
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes))
  assert(exports['data'] instanceof WebAssembly.Memory)
  return {
    data: new Uint8Array(exports['data'].buffer),
    run(name, ...parameters) {
      const routine = exports[name]
      assert(typeof routine === 'function')
      routine(...parameters)
    },
  }
}
