import { root, open, ask, newcomer, own, delegated, type Operation } from './operation.ts'

export const recoveryOperations = {
  'auth.sendRecoveryCode': { ...ask, path: '/auth/recover/user/code' },
  'quorate.sendRecoveryCode': { ...ask, method: 'PUT', path: '/auth/recover/user/code' },
  'auth.createRecoveryChallenge': { ...ask, path: '/auth/recover/user/init' },
  'auth.createDelegatedRecoveryChallenge': {
    ...delegated,
    path: '/auth/recover/user/delegated',
    permissions: ['Auth:Recover:Delegated'],
  },
  'auth.recover': {
    ...newcomer,
    path: '/auth/recover/user',
    purpose: 'recover',
    changes: root('recovery'),
    creates: ['recovery', 'credential'],
  },
  'quorate.getRecovery': { ...open, method: 'GET', path: '/auth/recoveries/:recoveryId' },
  'quorate.cancelRecovery': {
    ...own,
    method: 'DELETE',
    path: '/auth/recoveries/:recoveryId',
    changes: root('recoveryEnd'),
  },
} as const satisfies Record<string, Operation>
