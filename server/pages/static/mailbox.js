import { ask } from './api.js'
import { byId, moment, on, run, say } from './page.js'

/** @typedef {{ id: string, to: string, subject: string, text: string, createdAt: number }} Mail */

on('refresh', look)
void run(look)

async function look() {
  const { body } = await ask('GET', '/pages/mailbox/mails')
  byId('mails').replaceChildren(...body.items.map(toArticle))
  say(body.items.length === 0 ? 'No mail yet.' : '', 'good')
}

/** @param {Mail} mail */
function toArticle({ to, subject, text, createdAt }) {
  const article = document.createElement('article')
  const title = document.createElement('h2')
  title.textContent = subject
  const about = document.createElement('p')
  about.className = 'hint'
  about.textContent = `To ${to}, ${moment(createdAt)}`
  const body = document.createElement('p')
  body.className = 'letter'
  body.append(...text.split(/(https?:\/\/\S+)/).map(toNode))
  article.append(title, about, body)
  return article
}

/** Links to these very pages can be followed; all else stays text. @param {string} piece */
function toNode(piece) {
  if (!URL.canParse(piece) || new URL(piece).origin !== location.origin) return piece
  const link = document.createElement('a')
  link.href = piece
  link.textContent = piece
  return link
}
