/** The words, texts and signs of a TypeScript file, in order; comments are kept apart. */
export type Token = {
  readonly kind: 'word' | 'text' | 'template' | 'sign'
  /** Of a text what stands between the quotes, of a template its raw characters. */
  readonly value: string
  /** A template with `${}` in it has no value that can be known by reading. */
  readonly known: boolean
}

export type Source = { readonly tokens: readonly Token[]; readonly comments: readonly string[] }

type Reader = { readonly source: string; at: number; readonly tokens: Token[]; comments: string[] }

const patterns = {
  space: /\s+/y,
  comment: /\/\/[^\n]*|\/\*[\s\S]*?\*\/|^#![^\n]*/y,
  word: /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy,
  number: /(?:\d|\.\d)[\w.]*/y,
  text: /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y,
  regex: /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
}

/** After these a slash divides; anywhere else it opens a regular expression. */
const endsValue = /^(?:[)\]}]|this|super|true|false|null|undefined)$/
/** Words after which a value still has to come. */
const opensValue =
  /^(?:return|typeof|case|in|of|do|else|void|delete|throw|new|await|yield|instanceof)$/

/**
 * Reads a file into tokens, as far as finding imports needs it: no grammar, but strings, templates,
 * comments and regular expressions are told apart, so that nothing inside them counts as code and no
 * code hides inside them.
 * @throws Error where a text or a template does not end
 */
export function readTokens(source: string): Source {
  const reader: Reader = { source, at: 0, tokens: [], comments: [] }
  while (reader.at < source.length) readOne(reader)
  return reader
}

function readOne(reader: Reader): void {
  const { tokens, comments } = reader
  if (take(reader, patterns.space) !== undefined) return
  const comment = take(reader, patterns.comment)
  if (comment !== undefined) return void comments.push(comment)
  const word = take(reader, patterns.word)
  if (word !== undefined) return void tokens.push({ kind: 'word', value: word, known: true })
  const number = take(reader, patterns.number)
  if (number !== undefined) return void tokens.push({ kind: 'text', value: number, known: false })
  const text = take(reader, patterns.text)
  if (text !== undefined)
    return void tokens.push({ kind: 'text', value: text.slice(1, -1), known: !text.includes('\\') })
  if (reader.source[reader.at] === '`') return readTemplate(reader)
  if (mayOpenRegex(tokens.at(-1)) && take(reader, patterns.regex) !== undefined)
    return void tokens.push({ kind: 'text', value: '', known: false })
  const sign = reader.source[reader.at] ?? ''
  if (`'"`.includes(sign)) throw new Error(`a text does not end: ${context(reader)}`)
  tokens.push({ kind: 'sign', value: sign, known: true })
  reader.at += 1
}

/** What stands in `${}` is read as code, after the template's own token. */
function readTemplate(reader: Reader): void {
  const start = reader.at
  const inner: Token[] = []
  let known = true
  for (reader.at += 1; reader.source[reader.at] !== '`';) {
    if (reader.at >= reader.source.length) throw new Error('a template does not end')
    if (reader.source[reader.at] === '\\') {
      known = false
      reader.at += 2
    } else if (reader.source.startsWith('${', reader.at)) {
      known = false
      inner.push(...readHole(reader))
    } else {
      reader.at += 1
    }
  }
  const value = reader.source.slice(start + 1, reader.at)
  reader.at += 1
  reader.tokens.push({ kind: 'template', value, known }, ...inner)
}

function readHole(reader: Reader): Token[] {
  const hole: Reader = { ...reader, at: reader.at + 2, tokens: [] }
  for (let depth = 1; depth > 0;) {
    if (hole.at >= hole.source.length) throw new Error('a template does not end')
    const before = hole.tokens.length
    readOne(hole)
    const last = hole.tokens.length > before ? hole.tokens.at(-1) : undefined
    if (last?.kind === 'sign' && last.value === '{') depth += 1
    if (last?.kind === 'sign' && last.value === '}') depth -= 1
  }
  reader.at = hole.at
  // Set apart, or a template's end could pass for the start of what follows it.
  return [{ kind: 'sign', value: ';', known: true }, ...hole.tokens.slice(0, -1)]
}

function mayOpenRegex(before: Token | undefined): boolean {
  if (before === undefined) return true
  if (before.kind === 'word') return opensValue.test(before.value)
  return before.kind === 'sign' && !endsValue.test(before.value)
}

function take(reader: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.source)?.[0]
  if (found !== undefined) reader.at += found.length
  return found
}

const context = ({ source, at }: Reader) => JSON.stringify(source.slice(at, at + 40))
