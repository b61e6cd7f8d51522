import { z } from 'zod'

/** Names and the like, which somebody else has chosen. */
const text = z.string().max(256)
const code = z.string().min(1).max(64)
const time = z.int().nonnegative()

/** To whom, in which organization: what every mail says first. */
const person = { orgId: text, organization: text, username: text }

const invitation = z.strictObject({ ...person, code, until: time })
const loginCode = z.strictObject({ ...person, code, until: time })
const recoveryCode = z.strictObject({ ...person, code, until: time })
const recoveryNotice = z.strictObject({ ...person, recoveryId: text, effectiveAt: time })
const recovered = z.strictObject({ ...person, at: time })
const recoveryCancelled = z.strictObject({ ...person, recoveryId: text, at: time })
const credentialAdded = z.strictObject({ ...person, name: text, words: text, at: time })
const deviceCode = z.strictObject({ ...person, code, until: time })
const approvalWanted = z.strictObject({ ...person, approvalId: text, what: text, until: time })
const approvalResolved = z.strictObject({
  ...person,
  ...{ approvalId: text, what: text, how: text, at: time },
})

const schemas = {
  invitation,
  'login-code': loginCode,
  'recovery-code': recoveryCode,
  'recovery-notice': recoveryNotice,
  'recovery-effective': recovered,
  'recovery-cancelled': recoveryCancelled,
  'credential-added': credentialAdded,
  'device-code': deviceCode,
  'approval-wanted': approvalWanted,
  'approval-resolved': approvalResolved,
} as const
type Schemas = typeof schemas

/** A mail as whoever causes it hands it over: which one, and what it says. */
export type Mail = {
  [N in keyof Schemas]: { readonly template: N; readonly values: Readonly<z.infer<Schemas[N]>> }
}[keyof Schemas]

/** Subjects are ours alone: nothing that somebody else has chosen gets into a header. */
export type Letter = { readonly subject: string; readonly text: string }

/** @throws Error for a row that no version of this server has written */
export function readMail(template: string, json: string): Mail {
  if (!Object.hasOwn(schemas, template)) throw new Error(`There is no template ${template}.`)
  const name = template as keyof Schemas
  return { template: name, values: schemas[name].parse(JSON.parse(json)) } as Mail
}

/** @param pagesUrl where people reach this server, such as `https://wallets.example.com` */
export function compose(mail: Mail, pagesUrl: string): Letter {
  switch (mail.template) {
    case 'invitation':
      return inviting(mail.values, pagesUrl)
    case 'login-code':
      return telling(mail.values)
    case 'recovery-code':
      return recovering(mail.values, pagesUrl)
    case 'recovery-notice':
      return warning(mail.values, pagesUrl)
    case 'recovery-effective':
      return replaced(mail.values)
    case 'recovery-cancelled':
      return cancelled(mail.values)
    case 'credential-added':
      return noticing(mail.values)
    case 'device-code':
      return adding(mail.values, pagesUrl)
    case 'approval-wanted':
      return asking(mail.values)
    case 'approval-resolved':
      return resolved(mail.values)
  }
}

function inviting(values: z.infer<typeof invitation>, pagesUrl: string): Letter {
  const { orgId: org, username: user, code: registrationCode, until } = values
  return letter(
    'You are invited to Quorate',
    `${line(values.organization)} has invited you as ${line(user)}.`,
    'Open this page on the device whose passkey you want to use:',
    link(pagesUrl, 'register', { org, user, code: registrationCode }),
    `Your registration code, should you be asked for it: ${registrationCode}`,
    `It can be used once, until ${moment(until)}.`,
  )
}

function telling({ code: loginCodeText, ...values }: z.infer<typeof loginCode>): Letter {
  return letter(
    'Your login code',
    `Somebody logs in to ${line(values.organization)} as ${line(values.username)}.`,
    `The login code: ${loginCodeText}`,
    `It can be used once, until ${moment(values.until)}. If that is not you, do nothing, and give it to nobody.`,
  )
}

function recovering(values: z.infer<typeof recoveryCode>, pagesUrl: string): Letter {
  const { orgId: org, username: user, code: verificationCode, until } = values
  return letter(
    'Recover your access to Quorate',
    `Somebody wants to recover the access of ${line(user)} to ${line(values.organization)}.`,
    'If that is you, open this page and have your recovery key at hand:',
    link(pagesUrl, 'recover', { org, user, code: verificationCode }),
    `Your recovery code, should you be asked for it: ${verificationCode}`,
    `It can be used once, until ${moment(until)}. If that is not you, do nothing: without your recovery key it opens nothing.`,
  )
}

function warning(values: z.infer<typeof recoveryNotice>, pagesUrl: string): Letter {
  const { orgId: org, username: user, recoveryId: recovery, effectiveAt } = values
  return letter(
    'A recovery of your access has begun',
    `With a recovery key, somebody has begun to replace all credentials of ${line(user)} in ${line(values.organization)}.`,
    `They are replaced at ${moment(effectiveAt)}. If that is not you, cancel it before then, with a passkey you still have:`,
    link(pagesUrl, 'cancel', { org, user, recovery }),
    'Then tell your administrator, since somebody else has your recovery key.',
  )
}

function replaced(values: z.infer<typeof recovered>): Letter {
  return letter(
    'Your credentials were replaced',
    `With a recovery key, all credentials of ${line(values.username)} in ${line(values.organization)} were replaced at ${moment(values.at)}.`,
    'Those of before, and all access tokens, have ended. If that is not you, tell your administrator at once.',
  )
}

function cancelled(values: z.infer<typeof recoveryCancelled>): Letter {
  return letter(
    'A recovery of your access was cancelled',
    `A credential of ${line(values.username)} in ${line(values.organization)} has cancelled the recovery ${line(values.recoveryId)} at ${moment(values.at)}.`,
    'If that is not you, somebody else has one of your credentials: tell your administrator at once.',
  )
}

function noticing(values: z.infer<typeof credentialAdded>): Letter {
  return letter(
    'A credential was added to your account',
    `${line(values.username)} of ${line(values.organization)} has a new credential since ${moment(values.at)}.`,
    `Its name: ${line(values.name)}\nIts fingerprint: ${line(values.words)}`,
    'If you have not added it, deactivate it at once and tell your administrator.',
  )
}

function adding(values: z.infer<typeof deviceCode>, pagesUrl: string): Letter {
  const { orgId: org, username: user, code: deviceCodeText, until } = values
  return letter(
    'Add a passkey on another device',
    `You want to add a passkey for ${line(user)} of ${line(values.organization)}.`,
    'Open this page on the device whose passkey you want to add:',
    link(pagesUrl, 'device', { org, user, code: deviceCodeText }),
    `The code, should you be asked for it: ${deviceCodeText}`,
    `It can be used once, until ${moment(until)}. If that is not you, give it to nobody.`,
  )
}

/** What is asked, nobody reads in a mail: whoever decides has to see it where he signs. */
function asking(values: z.infer<typeof approvalWanted>): Letter {
  return letter(
    'Your approval is asked for',
    `In ${line(values.organization)}, ${line(values.what)} waits for approval, and ${line(values.username)} may decide on it.`,
    `The approval: ${line(values.approvalId)}`,
    `It can be decided until ${moment(values.until)}. Look at what exactly is asked before you sign: this mail does not say.`,
  )
}

function resolved(values: z.infer<typeof approvalResolved>): Letter {
  return letter(
    'What you have asked for was decided',
    `In ${line(values.organization)}, ${line(values.what)} that ${line(values.username)} has asked for was decided at ${moment(values.at)}.`,
    `The approval: ${line(values.approvalId)}\nThe end: ${line(values.how)}`,
  )
}

function letter(subject: string, ...paragraphs: readonly string[]): Letter {
  return { subject, text: `${paragraphs.join('\n\n')}\n` }
}

/** All of it in the fragment, which a browser keeps to itself: no log of a server ever has a code. */
function link(pagesUrl: string, page: string, values: Readonly<Record<string, string>>): string {
  return `${new URL(`/pages/${page}`, pagesUrl).href}#${new URLSearchParams(values)}`
}

/** Controls, line breaks and turns of direction could make a name look like text of ours. */
function line(foreign: string): string {
  return foreign.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}

function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
