import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
const f = JSON.parse(readFileSync('/tmp/qid/bootstrap.json', 'utf8'))
const { authToken, credId, privateKey } = f.serviceAccount
const c = new DfnsApiClient({ baseUrl: f.baseUrl, orgId: f.orgId, authToken, signer: new AsymmetricKeySigner({ credId, privateKey }) })
const k = await c.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
const ok: string[] = []
const errs = new Map<string, number>()
const work = async (i: number) => {
  for (let n = 0; n < 6; n++) {
    try {
      if (i % 2) { const w = await c.wallets.createWallet({ body: { network: 'KeyEdDSA', name: `w${i}-${n}` } }); ok.push(w.id) }
      else { const s = await c.keys.generateSignature({ keyId: k.id, body: { kind: 'Message', message: '0x00', externalId: `e${Date.now()}-${i}-${n}` } }); ok.push(s.id) }
    } catch (e: any) { const m = e.httpStatus ? `${e.httpStatus} ${e.message}` : String(e.cause?.code ?? e.message); errs.set(m, (errs.get(m) ?? 0) + 1); await sleep(500) }
  }
}
setTimeout(() => process.kill(f.processes.server, 'SIGKILL'), Number(process.argv[2] ?? 1500))
await Promise.all([0, 1, 2, 3].map(work))
console.log('done', ok.length, errs)
for (let i = 0; i < 60; i++) { try { await c.keys.listKeys(); break } catch { await sleep(300) } }
await sleep(1500)
const all = new Set<string>()
let token: string | undefined
do { const p = await c.wallets.listWallets({ query: { limit: 50, ...(token ? { paginationToken: token } : {}) } }); p.items.forEach((w) => all.add(w.id)); token = p.nextPageToken } while (token)
const sigs = (await c.keys.listSignatures({ keyId: k.id, query: { limit: 100 } as any })).items
console.log('missing', ok.filter((id) => id.startsWith('wa') ? !all.has(id) : !sigs.some((s) => s.id === id)), 'wallets', all.size, 'sigs', sigs.map((s) => s.status).join())
for (const id of all) await c.wallets.getWallet({ walletId: id })
const stuck = sigs.filter((s) => s.status === 'Executing')
for (const s of stuck) console.log('stuck', s.id, s.externalId)
