import { accountAddress, deployerBirth, deployment } from '@quorate/chains/evm/account/account'
import { toHex } from '@quorate/core/bytes'

/**
 * `quorate account-contract`: how accounts on a network come to be such that fee sponsors can pay for
 * them. Nothing is sent: any wallet can send it, and nobody gains anything by it.
 */
function printHow(print: (line: string) => void): void {
  const { to, data } = deployment()
  print(`The contract that sponsored accounts run is at ${accountAddress} on every network.`)
  print('It is made, once on each network, by a transaction of any wallet with no value:')
  print(`to:   ${to}`)
  print(`data: 0x${toHex(data)}`)
  print('Where no contract is at that address, that one is made before:')
  print(`send ${deployerBirth.wei} wei to ${deployerBirth.sender}, then these bytes to a node:`)
  print(deployerBirth.transaction)
}

printHow((line) => process.stdout.write(`${line}\n`))
