import { openMarkedStore } from '../store/mark.ts'

/** What a failed check leaves in the store of a signer, which must not be running. */
export function burnPairIn(file: string, organization: Uint8Array, peer: number): void {
  const store = openMarkedStore(file)
  store.commit(() => store.pairs.burn({ organization, peer }))
  store.close()
}
