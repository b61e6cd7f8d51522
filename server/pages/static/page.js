import { Refusal } from './api.js'

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id)
  if (element === null) throw new TypeError(`this page has no ${id}`)
  return element
}

/** @param {string} id */
export function input(id) {
  const element = byId(id)
  if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) return element
  throw new TypeError(`${id} takes no text`)
}

/** @param {string} id */
export const valueOf = (id) => input(id).value.trim()

/** @param {string} id */
export function isChecked(id) {
  const element = input(id)
  return element instanceof HTMLInputElement && element.checked
}

/**
 * What the link has brought, once: a code does not stay in the history of this browser. Fields of
 * these names are filled with it.
 * @param {readonly string[]} names @returns {Readonly<Record<string, string>>}
 */
export function takeFragment(names) {
  const given = new URLSearchParams(location.hash.slice(1))
  history.replaceState(null, '', location.pathname)
  const known = names.map((name) => [name, given.get(name) ?? ''])
  for (const [name = '', value = ''] of known)
    if (value !== '' && document.getElementById(name) !== null) input(name).value = value
  return Object.fromEntries(known)
}

/** Shows this part of the page in place of all others. @param {string} id */
export function show(id) {
  for (const part of document.querySelectorAll('main > section'))
    if (part instanceof HTMLElement) part.hidden = part.id !== id
  say('')
  const heading = byId(id).querySelector('h1, h2')
  if (heading instanceof HTMLElement) heading.focus()
}

/** @param {string} text @param {'busy' | 'good' | 'bad'} [kind] */
export function say(text, kind = 'busy') {
  const status = byId('status')
  status.className = kind
  status.textContent = text
}

/**
 * Runs when the form is sent or the button pressed: one at a time, and whatever goes wrong is said.
 * @param {string} id @param {() => Promise<void>} action
 */
export function on(id, action) {
  const element = byId(id)
  element.addEventListener(element instanceof HTMLFormElement ? 'submit' : 'click', (event) => {
    event.preventDefault()
    void run(action)
  })
}

/** @param {() => Promise<void>} action */
export async function run(action) {
  const buttons = [...document.querySelectorAll('button')].filter(({ disabled }) => !disabled)
  for (const button of buttons) button.disabled = true
  say('One moment …')
  try {
    await action()
    if (byId('status').className === 'busy') say('')
  } catch (error) {
    say(describe(error), 'bad')
  } finally {
    for (const button of buttons) button.disabled = false
  }
}

/** @param {unknown} error */
function describe(error) {
  if (error instanceof Refusal) return `The server says no: ${error.message}`
  if (error instanceof DOMException && error.name === 'NotAllowedError')
    return 'No passkey was used: it was cancelled, took too long, or there is none for this site.'
  if (error instanceof DOMException && error.name === 'InvalidStateError')
    return 'This device already has a passkey of yours.'
  if (error instanceof DOMException && error.name === 'SecurityError')
    return 'Passkeys work only over https and on the host name they are made for.'
  return error instanceof Error ? error.message : String(error)
}

/** @param {string} id @param {readonly string[]} list */
export function fillWords(id, list) {
  byId(id).replaceChildren(
    ...list.map((word) => {
      const item = document.createElement('li')
      item.textContent = word
      return item
    }),
  )
}

/** In this person's own way of writing it. @param {string | number} time */
export function moment(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })
}
