import { root, staff, read, signed, type Operation } from './operation.ts'

const ofUser = { ...signed, method: 'PUT', callers: staff } as const

export const userOperations = {
  'auth.createUser': {
    ...signed,
    path: '/auth/users',
    permissions: ['Auth:Users:Create'],
    callers: staff,
    pats: false,
    changes: root('user'),
    creates: ['user'],
    erasable: ['email', 'externalId'],
  },
  'auth.listUsers': {
    ...read,
    path: '/auth/users',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'auth.getUser': {
    ...read,
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'auth.updateUser': {
    ...ofUser,
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Update'],
    changes: root('userUpdate'),
  },
  'auth.activateUser': {
    ...ofUser,
    path: '/auth/users/:userId/activate',
    permissions: ['Auth:Users:Activate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.deactivateUser': {
    ...ofUser,
    path: '/auth/users/:userId/deactivate',
    permissions: ['Auth:Users:Deactivate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.archiveUser': {
    ...ofUser,
    method: 'DELETE',
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Delete'],
    changes: root('userStatus'),
  },
  'quorate.confirmUser': {
    ...signed,
    path: '/auth/users/:userId/confirm',
    permissions: ['Auth:Users:Create'],
    callers: staff,
    pats: false,
    changes: root('confirmation'),
    confirms: 'userId',
  },
  'quorate.listUserCredentials': {
    ...read,
    path: '/auth/users/:userId/credentials',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'quorate.eraseUser': {
    ...ofUser,
    path: '/auth/users/:userId/erase',
    permissions: ['Auth:Users:Delete'],
    pats: false,
    changes: root('erasure'),
  },
} as const satisfies Record<string, Operation>
