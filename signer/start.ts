import { randomBytes, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import {
  rawPublicKey,
  readEd25519,
  seedOf,
  signingWith,
  verifyEd25519,
  verifyEd25519By,
} from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { networksOf } from '@quorate/judge/networks'
import { equalBytes, fromUtf8, toHex } from '@quorate/core/bytes'
import { signingEd25519 } from '@quorate/threshold/identity-key'
import * as libsodium from '@quorate/threshold/public/ed25519'
import type { ClockSource } from './clock.ts'
import { keyEncryptionFromCommand, keyEncryptionFromFile } from './kek.ts'
import { openLink, type LinkOptions } from './link.ts'
import type { Log } from './log.ts'
import { watchMailboxes } from './mailbox/watch.ts'
import { openOwnFacts } from './own-facts.ts'
import { readPrivateFile } from './private-file.ts'
import type { Self } from './self.ts'
import type { SignerSettings } from './settings.ts'
import { openSigner, type Signer } from './signer.ts'
import { alarmOf, liftStop } from './stop.ts'
import { openMarkedStore } from './store/mark.ts'
import { SessionWorker } from './worker/worker.ts'

export type Running = { stop(): void }
export type Surroundings = {
  readonly clock: ClockSource
  readonly log: Log
  readonly onDefect: (error: unknown) => void
  /** A test may stand between the signer and its link. */
  readonly between?: (signer: Signer) => LinkOptions['signer']
}

/** Puts a signer together from its files and dials. @throws Error saying what is missing or wrong */
export function startSigner(settings: SignerSettings, surroundings: Surroundings): Running {
  const { clock, log, onDefect, between = (signer) => signer } = surroundings
  verifyEd25519By(libsodium.verifyEd25519)
  const self = selfFrom(settings)
  const keyEncryption =
    settings.kekFile === ''
      ? keyEncryptionFromCommand(settings.kekCommand)
      : keyEncryptionFromFile(settings.kekFile)
  const store = openMarkedStore(settings.storeFile)
  const random = (size: number) => new Uint8Array(randomBytes(size))
  const worker = new SessionWorker(log)
  worker.warm()
  const ownFacts = openOwnFacts(settings.factsFile, log)
  const parts = { self, store, keyEncryption, clock, random, worker, ownFacts, log, onDefect }
  const signer = openSigner(parts)
  const tls = {
    key: fromUtf8(readPrivateFile(settings.tlsKeyFile)),
    cert: readFileSync(settings.tlsCertFile, 'utf8'),
    ca: readFileSync(settings.tlsCaFile, 'utf8'),
  }
  const link = openLink({ url: settings.serverUrl, tls, signer: between(signer), log })
  if (settings.liftStop !== '') liftStop(store, settings.liftStop, log)
  // An operator who restarts a signer must not take silence for health.
  for (const stop of store.memory.stops()) log(alarmOf(stop))
  for (const { organization, peer } of store.pairs.burned())
    log({ event: 'pair-is-burned', organization: toHex(organization), peers: [peer] })
  const banned = store.peers.banned()
  if (banned.length > 0) log({ event: 'banned', peers: banned })
  if (store.memory.number('restored') === 1) log({ event: 'restored' })
  const { mailboxes: addresses, id } = settings
  const mailboxes = watchMailboxes(signer, { id, addresses }, { log, onDefect })
  log({ event: 'ready', signer: self.index, manifest: toHex(self.manifest.hash) })
  return {
    stop() {
      mailboxes.stop()
      link.close()
      signer.close()
      worker.close()
      store.close()
    },
  }
}

function selfFrom({ id, identityFile, manifestFile, manifestHash }: SignerSettings): Self {
  const manifest = readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519)
  if (toHex(manifest.hash) !== manifestHash)
    throw new Error('Cannot start: the manifest is not the one that SIGNER_MANIFEST_HASH names.')
  networksOf(manifest)
  const index = manifest.signers.findIndex((signer) => signer.id === id) + 1
  const named = manifest.signers[index - 1]
  if (named === undefined) throw new Error(`Cannot start: the manifest names no ${id}.`)
  const identity: KeyObject = readEd25519(fromUtf8(readPrivateFile(identityFile)))
  if (!equalBytes(rawPublicKey(identity), named.identity))
    throw new Error('Cannot start: the identity key is not the one that the manifest names.')
  const bootId = new Uint8Array(randomBytes(16))
  return {
    index,
    manifest,
    bootId,
    sign: signingWith(named.identity, signingEd25519(seedOf(identity))),
  }
}
