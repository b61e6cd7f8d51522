import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const checkout = dirname(dirname(fileURLToPath(import.meta.url)))
const file = join(checkout, 'client', 'dist', 'quorate-client.js')

/** `npm run bundle`: the checking client as one module for browsers. */
export async function main(): Promise<number> {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await bundleClient())
  console.log(file)
  return 0
}

/** The text of one ECMAScript module that needs nothing but a browser. */
export async function bundleClient(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(checkout, 'client', 'browser', 'main.ts')],
    alias: { 'node:crypto': join(checkout, 'client', 'browser', 'crypto.ts') },
    inject: [join(checkout, 'client', 'browser', 'buffer.ts')],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })
  const [output] = outputFiles
  if (output === undefined) throw new Error('esbuild made no file.')
  return output.text
}
