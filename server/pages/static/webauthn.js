import { fromBase64url, toBase64url, toUtf8 } from './bytes.js'

/**
 * @typedef {{ type: 'public-key', id: string }} Handle
 * @typedef {{
 *   challenge: string,
 *   rp?: { id?: string, name?: string },
 *   user: { id: string, name: string, displayName: string },
 *   authenticatorSelection: AuthenticatorSelectionCriteria,
 *   attestation: AttestationConveyancePreference,
 *   pubKeyCredParams: PublicKeyCredentialParameters[],
 *   excludeCredentials: Handle[],
 * }} CreateInit
 * @typedef {{
 *   challenge: string,
 *   rp?: { id?: string },
 *   userVerification: UserVerificationRequirement,
 *   allowCredentials: { webauthn: Handle[] },
 * }} GetInit
 */

/** Long enough to fetch a security key from another room. */
const patienceMs = 5 * 60_000

/**
 * A new passkey. As official clients do it, WebAuthn is given the characters of the challenge, not
 * the bytes that they stand for.
 * @param {CreateInit} init @param {string} name
 */
export async function createPasskey(init, name) {
  const { user, attestation, authenticatorSelection, pubKeyCredParams } = init
  const made = await navigator.credentials.create({
    publicKey: {
      challenge: toUtf8(init.challenge),
      rp: { id: init.rp?.id ?? location.hostname, name: init.rp?.name ?? 'Quorate' },
      user: { id: toUtf8(user.id), name: user.name, displayName: user.displayName },
      excludeCredentials: init.excludeCredentials.map(toDescriptor),
      ...{ attestation, authenticatorSelection, pubKeyCredParams, timeout: patienceMs },
    },
  })
  const credential = publicKeyCredential(made)
  const { response } = credential
  if (!(response instanceof AuthenticatorAttestationResponse)) throw new TypeError('no attestation')
  const spki = response.getPublicKey()
  if (spki === null) throw new Error('This browser does not know the kind of key it has made.')
  return {
    spki,
    credential: {
      credentialKind: 'Fido2',
      credentialInfo: {
        credId: credential.id,
        clientData: toBase64url(response.clientDataJSON),
        attestationData: toBase64url(response.attestationObject),
      },
      credentialName: name,
    },
  }
}

/** A signature by a passkey. @param {GetInit} init */
export async function signWithPasskey(init) {
  const got = await navigator.credentials.get({
    publicKey: {
      challenge: toUtf8(init.challenge),
      rpId: init.rp?.id ?? location.hostname,
      userVerification: init.userVerification,
      allowCredentials: init.allowCredentials.webauthn.map(toDescriptor),
      timeout: patienceMs,
    },
  })
  const credential = publicKeyCredential(got)
  const { response } = credential
  if (!(response instanceof AuthenticatorAssertionResponse)) throw new TypeError('no assertion')
  const { userHandle } = response
  return {
    kind: 'Fido2',
    credentialAssertion: {
      credId: credential.id,
      clientData: toBase64url(response.clientDataJSON),
      authenticatorData: toBase64url(response.authenticatorData),
      signature: toBase64url(response.signature),
      userHandle: userHandle === null ? '' : toBase64url(userHandle),
    },
  }
}

/** @param {Handle} handle @returns {PublicKeyCredentialDescriptor} */
const toDescriptor = ({ type, id }) => ({ type, id: fromBase64url(id) })

/** @param {Credential | null} credential */
function publicKeyCredential(credential) {
  if (!(credential instanceof PublicKeyCredential)) throw new Error('No passkey was chosen.')
  return credential
}
