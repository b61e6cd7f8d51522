import { ask, bearerOf, login, signedRequest } from './api.js'
import { byId, input, moment, on, show, takeFragment, valueOf } from './page.js'

const { org } = takeFragment(['org', 'user'])
if (org === '') input('org').value = localStorage.getItem('quorate.org') ?? ''

/** Kept by this page alone, and gone with it. @type {string | undefined} */
let token

/** As long as the server lets a code for another device live. */
const codeMs = 60_000

on('login', async () => {
  const [orgId, username] = [valueOf('org'), valueOf('user')]
  token = await login(username === '' ? { orgId } : { orgId, username })
  localStorage.setItem('quorate.org', orgId)
  const bearer = bearerOf(token)
  byId('who').textContent = bearer.username
  byId('user-id').textContent = bearer.userId
  byId('org-id').textContent = bearer.orgId
  await listCredentials(token)
  show('inside')
})

on('logout', async () => {
  await ask('PUT', '/auth/logout', { token })
  token = undefined
  show('outside')
})

on('add-device', async () => {
  if (token === undefined) throw new Error('You are logged out.')
  const expiration = new Date(Date.now() + codeMs).toISOString()
  const { body } = await signedRequest(token, 'POST', '/auth/credentials/code', { expiration })
  byId('device-page').textContent = new URL('/pages/device', location.href).href
  byId('one-time').textContent = body.code
  byId('one-time-until').textContent = moment(body.expiration)
  byId('device-code').hidden = false
})

/** @param {string} bearer */
async function listCredentials(bearer) {
  const { body } = await ask('GET', '/auth/credentials', { token: bearer })
  byId('credentials').replaceChildren(...body.items.map(toItem))
}

/** @param {{ name: string, kind: string, isActive: boolean, dateCreated: string }} credential */
function toItem({ name, kind, isActive, dateCreated }) {
  const item = document.createElement('li')
  const title = document.createElement('strong')
  title.textContent = name
  const about = document.createElement('span')
  about.className = 'hint'
  about.textContent = `${kind}, since ${moment(dateCreated)}${isActive ? '' : ', deactivated'}`
  item.append(title, about)
  return item
}
