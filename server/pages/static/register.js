import { post } from './api.js'
import { fingerprintWords } from './fingerprint.js'
import { byId, fillWords, isChecked, on, say, show, takeFragment, valueOf } from './page.js'
import { checkChallenge, unsigned } from './preimage.js'
import { makeRecoveryKey, recoveryCredential } from './recovery-key.js'
import { createPasskey } from './webauthn.js'

takeFragment(['org', 'user', 'code'])

/** @type {{ init: any, passkey: Awaited<ReturnType<typeof createPasskey>>, recovery: object | undefined } | undefined} */
let made

on('register', async () => {
  const who = {
    orgId: valueOf('org'),
    username: valueOf('user'),
    registrationCode: valueOf('code'),
  }
  const init = await post('/auth/registration/init', who)
  await checkChallenge(init, unsigned('register', '/auth/registration'))
  say('Your device asks you now …')
  const passkey = await createPasskey(init, 'Passkey')
  if (!isChecked('with-recovery')) {
    made = { init, passkey, recovery: undefined }
    return finish()
  }
  const key = await makeRecoveryKey()
  made = { init, passkey, recovery: await recoveryCredential(key, init.challenge) }
  fillWords('words', key.words)
  show('write-down')
})

on('finish', finish)

async function finish() {
  if (made === undefined) throw new Error('There is no passkey yet.')
  const { init, passkey, recovery } = made
  const credentials = {
    firstFactorCredential: passkey.credential,
    ...(recovery === undefined ? {} : { recoveryCredential: recovery }),
  }
  const { user } = await post('/auth/registration', credentials, init.temporaryAuthenticationToken)
  byId('words').replaceChildren()
  byId('who').textContent = user.username
  fillWords('fingerprint', await fingerprintWords(passkey.spki))
  localStorage.setItem('quorate.org', user.orgId)
  show('done')
}
