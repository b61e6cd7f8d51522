import { root, ask, people, read, own, type Operation } from './operation.ts'

export const credentialOperations = {
  'auth.createCredentialChallenge': {
    ...ask,
    path: '/auth/credentials/init',
    callers: people,
    pats: false,
  },
  'auth.createCredential': {
    ...own,
    path: '/auth/credentials',
    changes: root('credential'),
    creates: ['credential'],
    erasable: ['credentialName', 'encryptedPrivateKey'],
  },
  'auth.listCredentials': { ...read, path: '/auth/credentials', callers: people },
  'auth.activateCredential': {
    ...own,
    method: 'PUT',
    path: '/auth/credentials/activate',
    changes: root('credentialStatus'),
    bodyIds: { credentialUuid: 'credential' },
  },
  'auth.deactivateCredential': {
    ...own,
    method: 'PUT',
    path: '/auth/credentials/deactivate',
    changes: root('credentialStatus'),
    bodyIds: { credentialUuid: 'credential' },
  },
  'auth.createCredentialCode': {
    ...own,
    path: '/auth/credentials/code',
    changes: root('credentialCode'),
  },
  'auth.createCredentialChallengeWithCode': { ...ask, path: '/auth/credentials/code/init' },
  'auth.createCredentialWithCode': {
    ...ask,
    path: '/auth/credentials/code/verify',
    purpose: 'add-credential',
    changes: root('credential'),
    creates: ['credential'],
    erasable: ['credentialName', 'encryptedPrivateKey'],
  },
  'auth.deleteCredential': {
    ...own,
    method: 'DELETE',
    path: '/auth/credentials/:credentialUuid',
    changes: root('credentialStatus'),
  },
} as const satisfies Record<string, Operation>
