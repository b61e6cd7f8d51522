import { root, ifPresent, staff, read, signed, type Operation } from './operation.ts'

const ofAccount = { ...signed, method: 'PUT', callers: staff } as const

export const serviceAccountOperations = {
  'auth.createServiceAccount': {
    ...signed,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Create'],
    permissionsIf: [ifPresent('permissionId', 'Permissions:Assign')],
    callers: ['employee'],
    pats: false,
    changes: root('serviceAccount'),
    creates: ['user', 'token', 'credential', 'assignment'],
    bodyIds: { permissionId: 'permission' },
    erasable: ['name', 'externalId'],
  },
  'auth.listServiceAccounts': {
    ...read,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Read'],
    callers: staff,
  },
  'auth.getServiceAccount': {
    ...read,
    path: '/auth/service-accounts/:serviceAccountId',
    permissions: ['Auth:ServiceAccounts:Read'],
    callers: staff,
  },
  'auth.updateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId',
    permissions: ['Auth:ServiceAccounts:Update'],
    changes: root('update'),
    erasable: ['name', 'externalId'],
  },
  'auth.activateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId/activate',
    permissions: ['Auth:ServiceAccounts:Activate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.deactivateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId/deactivate',
    permissions: ['Auth:ServiceAccounts:Deactivate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.archiveServiceAccount': {
    ...ofAccount,
    method: 'DELETE',
    path: '/auth/service-accounts/:serviceAccountId',
    signedQuery: ['force'],
    permissions: ['Auth:ServiceAccounts:Delete'],
    changes: root('userStatus'),
  },
} as const satisfies Record<string, Operation>
