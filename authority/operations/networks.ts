import { read, type Operation } from './operation.ts'

export const networkOperations = {
  'networks.getFees': { ...read, path: '/networks/fees' },
  'networks.callFunction': { ...read, method: 'POST', path: '/networks/:network/call-function' },
} as const satisfies Record<string, Operation>
