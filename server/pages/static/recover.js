import { ask, post } from './api.js'
import { fingerprintWords } from './fingerprint.js'
import { byId, fillWords, input, moment, on, say, show, takeFragment, valueOf } from './page.js'
import { checkChallenge, unsigned } from './preimage.js'
import {
  makeRecoveryKey,
  readRecoveryKey,
  recoveryAssertion,
  recoveryCredential,
} from './recovery-key.js'
import { createPasskey } from './webauthn.js'

takeFragment(['org', 'user', 'code'])

/** @typedef {Awaited<ReturnType<typeof createPasskey>>} Passkey */
/** @type {{ token: string, passkey: Passkey, request: object } | undefined} */
let made

on('send-code', async () => {
  const who = { orgId: valueOf('org'), username: valueOf('user') }
  if (who.orgId === '' || who.username === '')
    throw new Error('Organization and user name are needed first.')
  await post('/auth/recover/user/code', who)
  say('If there is such a user, a code is on its way.', 'good')
})

on('recover', async () => {
  const oldKey = await readRecoveryKey(valueOf('recovery-words'))
  const init = await post('/auth/recover/user/init', {
    orgId: valueOf('org'),
    username: valueOf('user'),
    verificationCode: valueOf('code'),
    credentialId: oldKey.credId,
  })
  await checkChallenge(init, unsigned('recover', '/auth/recover/user'))
  say('Your device asks you now …')
  const passkey = await createPasskey(init, 'Passkey')
  const newKey = await makeRecoveryKey()
  const newCredentials = {
    firstFactorCredential: passkey.credential,
    recoveryCredential: await recoveryCredential(newKey, init.challenge),
  }
  const recovery = await recoveryAssertion(oldKey, newCredentials)
  made = {
    passkey,
    token: init.temporaryAuthenticationToken,
    request: { recovery, newCredentials },
  }
  input('recovery-words').value = ''
  fillWords('words', newKey.words)
  show('write-down')
})

on('finish', async () => {
  if (made === undefined) throw new Error('There is no passkey yet.')
  const { passkey, request: body, token } = made
  const answer = await ask('POST', '/auth/recover/user', { body, token })
  byId('words').replaceChildren()
  const words = await fingerprintWords(passkey.spki)
  if (answer.status === 202) return showWaiting(answer.body.recovery, words)
  byId('who').textContent = answer.body.user.username
  fillWords('fingerprint', words)
  show('done')
})

/** @param {{ id: string, effectiveAt: string }} pending @param {readonly string[]} words */
function showWaiting({ id, effectiveAt }, words) {
  byId('effective').textContent = moment(effectiveAt)
  byId('recovery-id').textContent = id
  fillWords('waiting-fingerprint', words)
  show('waiting')
}
