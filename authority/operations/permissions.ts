import { root, read, signed, type Operation } from './operation.ts'

export const permissionOperations = {
  'permissions.createPermission': {
    ...signed,
    path: '/permissions',
    permissions: ['Permissions:Create'],
    changes: root('permission'),
    creates: ['permission'],
  },
  'permissions.listPermissions': {
    ...read,
    path: '/permissions',
    permissions: ['Permissions:Read'],
  },
  'permissions.getPermission': {
    ...read,
    path: '/permissions/:permissionId',
    permissions: ['Permissions:Read'],
  },
  'permissions.updatePermission': {
    ...signed,
    method: 'PUT',
    path: '/permissions/:permissionId',
    permissions: ['Permissions:Update'],
    changes: root('permissionUpdate'),
  },
  'permissions.archivePermission': {
    ...signed,
    method: 'PUT',
    path: '/permissions/:permissionId/archive',
    permissions: ['Permissions:Archive'],
    changes: root('permissionUpdate'),
  },
  'permissions.createAssignment': {
    ...signed,
    path: '/permissions/:permissionId/assignments',
    permissions: ['Permissions:Assign'],
    changes: root('assignment'),
    creates: ['assignment'],
    bodyIds: { identityId: 'identity' },
    confirms: 'identityId',
  },
  'permissions.listAssignments': {
    ...read,
    path: '/permissions/:permissionId/assignments',
    permissions: ['Permissions:Assignments:Read'],
  },
  'permissions.deleteAssignment': {
    ...signed,
    method: 'DELETE',
    path: '/permissions/:permissionId/assignments/:assignmentId',
    signedQuery: ['force'],
    permissions: ['Permissions:Revoke'],
    changes: root('assignmentEnd'),
  },
} as const satisfies Record<string, Operation>
