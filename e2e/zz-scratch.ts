import { readFileSync } from 'node:fs'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { quorateClient } from '@quorate/client/quorate-client'
const f = JSON.parse(readFileSync('/tmp/qid/bootstrap.json', 'utf8'))
const { authToken, credId, privateKey } = f.serviceAccount
const c = new DfnsApiClient({
  baseUrl: f.baseUrl,
  orgId: f.orgId,
  authToken,
  signer: new AsymmetricKeySigner({ credId, privateKey }),
})
const t = async (n: string, p: () => Promise<any>) => {
  const a = Date.now()
  try {
    const r = await p()
    console.log(n, Date.now() - a, 'ms')
    return r
  } catch (e: any) {
    console.log(
      n,
      'FAILED',
      Date.now() - a,
      e.httpStatus,
      e.message,
      JSON.stringify(e.context?.body?.error?.details),
    )
  }
}
const k = await t('key ed', () => c.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } }))
for (let i = 0; i < 3; i++)
  await t('sign ed', () =>
    c.keys.generateSignature({ keyId: k.id, body: { kind: 'Message', message: '0x00ff' } }),
  )
const w = await t('wallet ed', () => c.wallets.createWallet({ body: { network: 'KeyEdDSA' } }))
await t('wallet sign', () =>
  c.wallets.generateSignature({ walletId: w.id, body: { kind: 'Message', message: '0x00ff' } }),
)
const s = await t('wallet sepolia', () =>
  c.wallets.createWallet({ body: { network: 'EthereumSepolia' } }),
)
if (s) {
  console.log(
    await quorateClient({ baseUrl: f.baseUrl, authToken, genesis: f.genesis }).verifyAddress(s),
  )
  for (let i = 0; i < 3; i++)
    await t('sign ecdsa', () =>
      c.wallets.generateSignature({ walletId: s.id, body: { kind: 'Message', message: '0x00ff' } }),
    )
}
await t('list', () => c.keys.listKeys())
await t('get', () => c.keys.getKey({ keyId: k.id }))
