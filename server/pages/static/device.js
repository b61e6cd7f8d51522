import { post } from './api.js'
import { fingerprintWords } from './fingerprint.js'
import { byId, fillWords, on, say, show, takeFragment, valueOf } from './page.js'
import { checkChallenge, unsigned } from './preimage.js'
import { createPasskey } from './webauthn.js'

takeFragment(['code'])

on('device', async () => {
  const asked = { credentialKind: 'Fido2', code: valueOf('code') }
  const init = await post('/auth/credentials/code/init', asked)
  await checkChallenge(init, unsigned('add-credential', '/auth/credentials/code/verify'))
  say('Your device asks you now …')
  const { credential, spki } = await createPasskey(init, valueOf('name'))
  const { challengeIdentifier } = init
  const added = await post('/auth/credentials/code/verify', { ...credential, challengeIdentifier })
  byId('who').textContent = added.name
  fillWords('fingerprint', await fingerprintWords(spki))
  show('done')
})
