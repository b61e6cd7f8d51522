import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { tryLock } from './lock.mjs'

const folder = mkdtempSync(join(tmpdir(), 'quorate-install-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('a lock', () => {
  it('is held by one process at a time, and free again when it is released', () => {
    const file = join(folder, 'lock-a')
    const lock = tryLock(file)
    assert.ok(lock)
    assert.equal(tryLock(file), undefined)
    lock.release()
    const again = tryLock(file)
    assert.ok(again)
    again.release()
  })

  it('of a process that was killed is taken over', async () => {
    const file = join(folder, 'lock-b')
    const holder = node(`
      import { tryLock } from '${lockModule}'
      globalThis.lock = tryLock('${file}')
      console.log('held')
      setInterval(() => {}, 1000)`)
    await outputOf(holder, 'held')
    assert.equal(tryLock(file), undefined)
    holder.kill('SIGKILL')
    await new Promise((resolve) => holder.on('close', resolve))
    const lock = tryLock(file)
    assert.ok(lock)
    lock.release()
  })
})

describe('installing', () => {
  it('is done by one of several starts, once per lock file', async () => {
    const root = checkout('one')
    assert.deepEqual(
      await Promise.all([installer(root), installer(root), installer(root)]),
      [0, 0, 0],
    )
    assert.equal(installs(root), 1)
    assert.equal(await installer(root), 0)
    assert.equal(installs(root), 1)
    writeFileSync(join(root, 'package-lock.json'), '{"changed":true}')
    assert.equal(await installer(root), 0)
    assert.equal(installs(root), 2)
  })

  it('that was killed half-way is done again by the next start', async () => {
    const root = checkout('two')
    const first = install(root)
    while (!existsSync(join(root, 'log'))) await sleep(10)
    first.kill('SIGKILL')
    assert.equal(await installer(root), 0)
    assert.equal(installs(root), 2)
  })

  it('that fails leaves no stamp', async () => {
    const root = checkout('three')
    assert.equal(await installer(root, 'throw new Error("no network")'), 1)
    assert.equal(existsSync(join(root, 'node_modules', '.install-stamp')), false)
  })
})

const lockModule = new URL('lock.mjs', import.meta.url).href
const installModule = new URL('install.mjs', import.meta.url).href

function checkout(name: string): string {
  const root = join(folder, name)
  mkdirSync(root)
  writeFileSync(join(root, 'package-lock.json'), '{}')
  return root
}

/** Does what npm does, slowly: deletes node_modules, then fills it. */
const slowNpm = `
  appendFileSync(join(root, 'log'), 'x')
  rmSync(join(root, 'node_modules'), { recursive: true, force: true })
  await new Promise((resolve) => setTimeout(resolve, 300))
  mkdirSync(join(root, 'node_modules'))`

function install(root: string, npm = slowNpm): ChildProcess {
  return node(`
    import { appendFileSync, mkdirSync, rmSync } from 'node:fs'
    import { join } from 'node:path'
    import { install } from '${installModule}'
    await install('${root}', async (root) => {${npm}})`)
}

function installer(root: string, npm = slowNpm): Promise<number | null> {
  return new Promise((resolve) => install(root, npm).on('close', resolve))
}

const installs = (root: string) => readFileSync(join(root, 'log'), 'utf8').length

function node(script: string): ChildProcess {
  return spawn(process.execPath, ['--input-type=module', '--eval', script])
}

async function outputOf(child: ChildProcess, expected: string): Promise<void> {
  for await (const chunk of child.stdout ?? []) if (String(chunk).includes(expected)) return
}
