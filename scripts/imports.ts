import type { Source, Token } from './tokens.ts'

/** What a file takes from elsewhere, and every way of doing so that cannot be read off its text. */
export type Imports = { readonly names: readonly string[]; readonly hidden: readonly string[] }

/** Each of these loads modules, or runs text as code, behind the back of this test. */
const loaders = ['require', 'createRequire', 'getBuiltinModule', 'eval', 'Function', 'dlopen']

export function importsOf({ tokens }: Source): Imports {
  const names: string[] = []
  const hidden: string[] = []
  const name = (token: Token | undefined, how: string) => {
    if (token !== undefined && token.kind !== 'sign' && token.kind !== 'word' && token.known)
      names.push(token.value)
    else hidden.push(how)
  }
  for (const [i, token] of tokens.entries()) {
    const [previous, next, second, third] = [i - 1, i + 1, i + 2, i + 3].map((j) => tokens[j])
    if (isSign(token, '\\')) hidden.push('a name written with an escape')
    if (token.kind !== 'word' || isMember(previous, tokens[i - 2])) {
      if (token.kind === 'word' && isLoaderMember(token, previous)) hidden.push(token.value)
      continue
    }
    if (token.value === 'import' && next?.kind === 'text') name(next, 'import')
    if (token.value === 'from' && (next?.kind === 'text' || next?.kind === 'template'))
      name(next, 'from')
    if (token.value === 'import' && isSign(next, '('))
      name(isSign(third, ')') || isSign(third, ',') ? second : undefined, 'import()')
    if (loaders.includes(token.value) && !isType(token, next)) hidden.push(token.value)
  }
  return { names, hidden }
}

/** `Function` alone is a type's name as well; called or constructed it runs text. */
function isType(token: Token, next: Token | undefined): boolean {
  return token.value === 'Function' && !isSign(next, '(')
}

/** A property of that name, such as `codec.eval`; a spread is none. */
function isMember(previous: Token | undefined, before: Token | undefined): boolean {
  return isSign(previous, '.') && !isSign(before, '.')
}

/** Of whatever object: `module.createRequire`, `process.getBuiltinModule`, `process.dlopen`. */
function isLoaderMember(token: Token, previous: Token | undefined): boolean {
  return (
    isSign(previous, '.') && ['createRequire', 'getBuiltinModule', 'dlopen'].includes(token.value)
  )
}

function isSign(token: Token | undefined, value: string): boolean {
  return token?.kind === 'sign' && token.value === value
}

/** Does it read the environment, or keep `process` under a name that hides it? */
export function readsEnvironment({ tokens }: Source): boolean {
  return tokens.some((token, i) => {
    if (token.kind !== 'word' || token.value !== 'process') return false
    const [previous, next, second] = [i - 1, i + 1, i + 2].map((j) => tokens[j])
    if (isSign(previous, '=') && !isSign(next, '.')) return true
    if (isSign(next, '[')) return true
    const member = isSign(next, '?') ? tokens[i + 3] : second
    return (isSign(next, '.') || isSign(next, '?')) && member?.value === 'env'
  })
}
