import { createHash } from 'node:crypto'

/**
 * One page without a server behind it: it asks the browser for a passkey's signature over one
 * challenge and shows it. It sends nothing anywhere, and may load nothing.
 *
 * @param challenge base64url, as `statementChallenge` makes it
 */
export function passkeyPage(challenge: string): string {
  const script = scriptFor(challenge)
  const hash = createHash('sha256').update(script).digest('base64')
  return `<!doctype html>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-${hash}'">
<title>Sign a statement</title>
<h1>Sign a statement</h1>
<p>Compare the challenge with what the terminal shows: <code>${challenge}</code></p>
<button id="sign">Sign with a passkey</button>
<p>Then give the terminal this:</p>
<textarea id="answer" rows="12" cols="100" readonly></textarea>
<script>${script}</script>
`
}

/** The authenticator signs the characters of the challenge, as in every request of the platform. */
function scriptFor(challenge: string): string {
  return `
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const answer = document.querySelector('#answer')
document.querySelector('#sign').addEventListener('click', async () => {
  try {
    const challenge = new TextEncoder().encode(${JSON.stringify(challenge)})
    const publicKey = { challenge, userVerification: 'required' }
    const { response } = await navigator.credentials.get({ publicKey })
    answer.value = JSON.stringify({
      clientData: text(response.clientDataJSON),
      signature: text(response.signature),
      authenticatorData: text(response.authenticatorData),
    })
  } catch (error) {
    answer.value = String(error)
  }
})
`
}
