import type { Failure } from '@quorate/core/failure'

/** What a contract's own `REVERT` has in Geth, Erigon, Reth, anvil, and Nethermind and Besu of late. */
const revertedCode = 3
/**
 * How nodes call the ways in which a contract can fail: Geth and Erigon (core/vm/errors.go), revm under Reth
 * and anvil (`HaltReason`), Nethermind (`EvmExceptionType`), and what was "VM execution error" in older ones.
 */
const failings = [
  /revert/,
  /out ?of ?gas|gas uint64 overflow|operandoog/,
  /(invalid|bad|undefined) ?(fe)?(opcode|instruction)|opcodenotfound|notactivated/,
  /stack ?(under|over)flow|stack limit reached/,
  /(invalid|bad) ?jump/,
  /return data out of bounds|outofoffset|access ?violation/,
  /init ?code ?size/,
  /^evm error|vm execution error/,
]

/**
 * Is this the contract's own refusal of a call, and so its answer at that block? Whatever else a node refuses
 * (too many questions, a block that it does not have, its own time being up) says nothing of the contract.
 * Besu has one "Internal error" for a contract that runs out of gas and for itself: that is taken for its own.
 */
export function isOfContract({ context: { code, reason } }: Failure<'chain.refused'>): boolean {
  const said = reason.toLowerCase()
  return code === revertedCode || failings.some((failing) => failing.test(said))
}
