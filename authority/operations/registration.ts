import { root, ask, newcomer, delegated, type Operation } from './operation.ts'

export const registrationOperations = {
  'auth.resendRegistrationCode': { ...ask, method: 'PUT', path: '/auth/registration/code' },
  'auth.createRegistrationChallenge': { ...ask, path: '/auth/registration/init' },
  'auth.createDelegatedRegistrationChallenge': {
    ...delegated,
    path: '/auth/registration/delegated',
    permissions: ['Auth:Register:Delegated'],
    changes: root('user'),
    creates: ['user', 'assignment'],
    erasable: ['email', 'externalId'],
  },
  'auth.restartDelegatedRegistration': {
    ...delegated,
    path: '/auth/registration/delegated/restart',
    permissions: ['Auth:Register:Delegated'],
  },
  'auth.createSocialRegistrationChallenge': {
    ...ask,
    path: '/auth/registration/social',
    purpose: 'social',
    changes: root('user'),
    creates: ['user', 'assignment'],
    // Not of the call's body: the item's is the name that the provider has vouched for.
    erasable: ['email'],
  },
  'auth.register': {
    ...newcomer,
    path: '/auth/registration',
    purpose: 'register',
    changes: root('registration'),
    creates: ['credential'],
  },
  'auth.registerEndUser': {
    ...newcomer,
    path: '/auth/registration/enduser',
    purpose: 'register',
    changes: root('registration'),
    creates: ['credential', 'wallet', 'key'],
  },
} as const satisfies Record<string, Operation>
