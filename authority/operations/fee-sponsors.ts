import { root, staff, read, signed, type Operation } from './operation.ts'

const ofSponsor = {
  ...signed,
  method: 'PUT',
  permissions: ['FeeSponsors:Update'],
  callers: staff,
  changes: root('feeSponsorUpdate'),
} as const

export const feeSponsorOperations = {
  'feeSponsors.createFeeSponsor': {
    ...signed,
    path: '/fee-sponsors',
    permissions: ['FeeSponsors:Create'],
    callers: staff,
    changes: root('feeSponsor'),
    creates: ['feeSponsor'],
    bodyIds: { walletId: 'wallet' },
  },
  'feeSponsors.listFeeSponsors': {
    ...read,
    path: '/fee-sponsors',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },
  'feeSponsors.getFeeSponsor': {
    ...read,
    path: '/fee-sponsors/:feeSponsorId',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },
  'quorate.updateFeeSponsor': { ...ofSponsor, path: '/fee-sponsors/:feeSponsorId' },
  'feeSponsors.activateFeeSponsor': {
    ...ofSponsor,
    path: '/fee-sponsors/:feeSponsorId/activate',
  },
  'feeSponsors.deactivateFeeSponsor': {
    ...ofSponsor,
    path: '/fee-sponsors/:feeSponsorId/deactivate',
  },
  'feeSponsors.deleteFeeSponsor': {
    ...ofSponsor,
    method: 'DELETE',
    path: '/fee-sponsors/:feeSponsorId',
    permissions: ['FeeSponsors:Delete'],
  },
  'feeSponsors.listSponsoredFees': {
    ...read,
    path: '/fee-sponsors/:feeSponsorId/fees',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },
} as const satisfies Record<string, Operation>
