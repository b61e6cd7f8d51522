const requests = ['requested', 'broadcasted', 'confirmed', 'failed', 'rejected'] as const

/** What the platform tells of. */
export const eventKinds = [
  ...(['policy.triggered', 'policy.approval.pending', 'policy.approval.resolved'] as const),
  ...(['key.created', 'key.deleted', 'key.delegated'] as const),
  ...(['wallet.created', 'wallet.delegated', 'wallet.tags.modified'] as const),
  ...requests.map((what) => `wallet.transfer.${what}` as const),
  ...requests.map((what) => `wallet.transaction.${what}` as const),
  ...(['wallet.signature.requested', 'wallet.signature.signed'] as const),
  ...(['wallet.signature.failed', 'wallet.signature.rejected'] as const),
  'wallet.blockchainevent.detected',
] as const
export type EventKind = (typeof eventKinds)[number]

/**
 * Documented kinds of what there is not here: whoever subscribes to them is not refused, and hears
 * nothing. The last two lines are those of a newer client, with the names that it gives them.
 */
const silentKinds = [
  ...(['key.exported', 'wallet.activated', 'wallet.exported', 'payout.action.required'] as const),
  ...(['wallet.offer.received', 'wallet.offer.accepted'] as const),
  ...(['wallet.offer.rejected', 'wallet.offer.withdrawn'] as const),
  ...(['vault.created', 'vault.updated', 'vault.tags.modified', 'vault.event.created'] as const),
  ...(['wallet.blockchain_event.transfer.included'] as const),
  ...(['wallet.blockchain_event.misc.confirmed'] as const),
  ...(['address_watch.blockchain_event.transfer.confirmed'] as const),
  ...(['address_watch.blockchain_event.misc.confirmed'] as const),
] as const

export const knownKinds = [...eventKinds, ...silentKinds] as const
