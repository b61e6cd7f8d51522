import { login, signedRequest } from './api.js'
import { on, show, takeFragment, valueOf } from './page.js'

takeFragment(['org', 'user', 'recovery'])

on('cancel', async () => {
  const token = await login({ orgId: valueOf('org'), username: valueOf('user') })
  const path = `/auth/recoveries/${encodeURIComponent(valueOf('recovery'))}`
  await signedRequest(token, 'DELETE', path, {})
  show('done')
})
