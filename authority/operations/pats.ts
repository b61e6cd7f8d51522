import { root, ifPresent, people, read, own, type Operation } from './operation.ts'

const ownPat = { ...own, method: 'PUT', changes: root('tokenStatus') } as const

export const patOperations = {
  'auth.createPersonalAccessToken': {
    ...own,
    path: '/auth/pats',
    permissions: ['Auth:Pats:Create'],
    permissionsIf: [ifPresent('permissionId', 'Permissions:Assign')],
    changes: root('token'),
    creates: ['token', 'credential', 'assignment'],
    bodyIds: { permissionId: 'permission' },
    erasable: ['name', 'externalId'],
  },
  'auth.listPersonalAccessTokens': { ...read, path: '/auth/pats', callers: people },
  'auth.getPersonalAccessToken': { ...read, path: '/auth/pats/:tokenId', callers: people },
  'auth.updatePersonalAccessToken': {
    ...ownPat,
    path: '/auth/pats/:tokenId',
    changes: root('update'),
    erasable: ['name', 'externalId'],
  },
  'auth.activatePersonalAccessToken': { ...ownPat, path: '/auth/pats/:tokenId/activate' },
  'auth.deactivatePersonalAccessToken': { ...ownPat, path: '/auth/pats/:tokenId/deactivate' },
  'auth.archivePersonalAccessToken': { ...ownPat, method: 'DELETE', path: '/auth/pats/:tokenId' },
} as const satisfies Record<string, Operation>
