import assert from 'node:assert/strict'
import { findEvmNetwork } from '../networks/evm.ts'

const found = findEvmNetwork('EthereumSepolia')
assert.ok(found)

/** A test network with a local node behind it lowers `confirmationsFinal`. */
export const ethereumSepolia = found
