import { applyRoots } from './orgs/apply.ts'
import { agreementRoutes, type AgreementDeps } from './agreements/routes.ts'
import { authRoutes } from './auth/routes.ts'
import type { ActionDeps } from './auth/action.ts'
import type { GovernDeps } from './approvals/govern.ts'
import { governedResolver } from './approvals/governed.ts'
import type { Resolver } from './approvals/resolver.ts'
import { approvalRoutes } from './approvals/routes.ts'
import type { Caller } from './auth/caller.ts'
import type { LoginDeps } from './auth/login.ts'
import { credentialRoutes } from './credentials/routes.ts'
import { feeSponsorRoutes } from './fee-sponsors/routes.ts'
import type { Route } from './http/route.ts'
import { derivationRoutes } from './keys/derive.ts'
import { derivationResolver } from './keys/held-derivation.ts'
import { keyRoutes } from './keys/routes.ts'
import type { CreationDeps } from './keys/create.ts'
import type { GenesisDeps } from './orgs/genesis.ts'
import { logRoutes } from './log-export/routes.ts'
import { organizationRoutes } from './orgs/routes.ts'
import { patRoutes } from './pats/routes.ts'
import { policyRoutes } from './policies/routes.ts'
import { simulateRoutes } from './policies/simulate.ts'
import { permissionRoutes } from './permissions/routes.ts'
import { registrationRoutes, type RegistrationDeps } from './registration/routes.ts'
import { recoveryRoutes } from './recovery/routes.ts'
import { serviceAccountRoutes } from './service-accounts/routes.ts'
import type { ExecuteDeps } from './signatures/execute.ts'
import { breakGlassRoutes } from './break-glass/routes.ts'
import { freezeRoutes } from './freezes/routes.ts'
import { settingsRoutes, type SettingsDeps } from './settings/routes.ts'
import { signatureResolver } from './signatures/resolver.ts'
import { resumeSignatures } from './signatures/resume.ts'
import { signatureRoutes } from './signatures/routes.ts'
import { usageRoutes } from './usage/routes.ts'
import { userRoutes } from './users/routes.ts'
import { walletRoutes } from './wallets/routes.ts'
import type { ChangeDeps as WebhookDeps } from './webhooks/change.ts'
import { webhookRoutes } from './webhooks/routes.ts'

export type IdentityDeps = ActionDeps &
  LoginDeps &
  CreationDeps &
  GenesisDeps &
  AgreementDeps &
  SettingsDeps &
  RegistrationDeps &
  GovernDeps &
  WebhookDeps &
  ExecuteDeps & { readonly manifestFile: Uint8Array }

/** Who is who, and what is whose: everything but the movement of money. */
export function identityRoutes(
  deps: IdentityDeps,
  resolvers: readonly Resolver[] = resolversOf(deps),
): readonly Route<Caller>[] {
  return [
    ...organizationRoutes(deps),
    ...logRoutes(deps),
    ...authRoutes(deps),
    ...credentialRoutes(deps),
    ...userRoutes(deps),
    ...registrationRoutes(deps),
    ...recoveryRoutes(deps),
    ...serviceAccountRoutes(deps),
    ...patRoutes(deps),
    ...permissionRoutes(deps),
    ...keyRoutes(deps),
    ...walletRoutes(deps),
    ...signatureRoutes(deps),
    ...derivationRoutes(deps),
    ...agreementRoutes(deps),
    ...settingsRoutes(deps),
    ...freezeRoutes(deps),
    ...breakGlassRoutes(deps),
    ...policyRoutes(deps),
    ...simulateRoutes(deps),
    ...feeSponsorRoutes(deps),
    ...usageRoutes(deps),
    ...webhookRoutes(deps),
    ...approvalRoutes({ ...deps, resolvers }),
  ]
}

/** Those of these rooms that hold something for its approvers; money has its own. */
export function resolversOf(deps: IdentityDeps): readonly Resolver[] {
  return [governedResolver(deps), signatureResolver(deps), derivationResolver(deps)]
}

/** Ends what an earlier life of the server has begun; signers must be there. */
export async function resumeIdentity(
  deps: IdentityDeps,
  report: {
    readonly root: (error: unknown, organization: Uint8Array) => void
    readonly signature: (error: unknown, signatureId: string) => void
  },
): Promise<void> {
  await applyRoots(deps.database, report.root)
  await resumeSignatures(deps, report.signature)
}
