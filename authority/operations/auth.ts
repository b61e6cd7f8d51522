import { ask, people, read, delegated, type Operation } from './operation.ts'

export const authOperations = {
  'auth.createUserActionChallenge': { ...read, method: 'POST', path: '/auth/action/init' },
  'auth.createUserActionSignature': { ...read, method: 'POST', path: '/auth/action' },
  'auth.sendLoginCode': { ...ask, path: '/auth/login/code' },
  'auth.createLoginChallenge': { ...ask, path: '/auth/login/init' },
  'auth.login': { ...ask, path: '/auth/login' },
  'auth.logout': {
    ...read,
    method: 'PUT',
    path: '/auth/logout',
    callers: people,
    pats: false,
  },
  'auth.delegatedLogin': {
    ...delegated,
    path: '/auth/login/delegated',
    permissions: ['Auth:Login:Delegated'],
  },
  'auth.socialLogin': { ...ask, path: '/auth/login/social' },
  'auth.ssoLoginInit': { ...ask, path: '/auth/login/sso/init' },
  'auth.ssoLogin': { ...ask, path: '/auth/login/sso' },
  'auth.oidcLoginInit': { ...ask, path: '/auth/login/oidc/init' },
  'auth.oidcLogin': { ...ask, path: '/auth/login/oidc' },
  'auth.exchangeToken': {
    ...read,
    method: 'POST',
    path: '/auth/tokens',
    callers: people,
    pats: false,
  },
  'auth.listApplications': { ...read, path: '/auth/apps' },
  'auth.getApplication': { ...read, path: '/auth/apps/:appId' },
} as const satisfies Record<string, Operation>
