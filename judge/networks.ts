import type { Manifest } from '@quorate/authority/manifest'
import { type Networks, openNetworks } from '@quorate/effects/networks'

/**
 * The networks of a cluster: those that everybody knows, and those that all of its operators have
 * signed. Whoever reads a manifest asks for them before it does anything else.
 *
 * @throws Error where one of the operators' own would pass for another network, or for its chain
 */
export function networksOf({ networks }: Pick<Manifest, 'networks'>): Networks {
  const known = made.get(networks)
  if (known !== undefined) return known
  const opened = openNetworks(networks)
  made.set(networks, opened)
  return opened
}

/** It is asked for wherever a network is looked up. What one manifest has, no other one is given. */
const made = new WeakMap<Manifest['networks'], Networks>()
