import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

/** One character of the usual monospaced fonts is six tenths as wide as it is high. */
const fontSize = 14
const charWidth = fontSize * 0.6
const lineHeight = 20
const margin = 20
const titleBar = 34

/** SGR parameters, as `styleText` writes them, and what they look like on a dark ground. */
const colors: Readonly<Record<string, string>> = { 32: '#7ee787', 33: '#f2cc60', 36: '#79c0ff' }
const plain = '#e6edf3'
const faint = '#8b949e'

type Style = { readonly color: string; readonly bold: boolean }
type Piece = Style & { readonly text: string; readonly column: number }

/** A terminal's text, with its colours, as a picture that needs no font of ours and no script. */
export function pictureOf(terminal: string): string {
  const lines = terminal
    .replaceAll(/^\n+|\n+$/g, '')
    .split('\n')
    .map(readLine)
  const columns = Math.max(...lines.map(widthOf))
  const width = Math.ceil(columns * charWidth + 2 * margin)
  const height = titleBar + lines.length * lineHeight + margin
  const rows = lines.flatMap((line, i) => {
    const spans = line.map(tspan).join('')
    return spans === '' ? [] : [`  <text y="${titleBar + (i + 0.7) * lineHeight}">${spans}</text>`]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" xml:space="preserve" style="white-space:pre">`,
    '  <title>npm run demo</title>',
    `  <rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    ...['#ff5f56', '#ffbd2e', '#27c93f'].map(
      (color, i) => `  <circle cx="${margin + 2 + i * 18}" cy="18" r="5.5" fill="${color}"/>`,
    ),
    ...rows,
    '</svg>',
    '',
  ].join('\n')
}

function readLine(line: string): Piece[] {
  // oxlint-disable-next-line no-control-regex -- these are the control characters of a terminal
  const parts = line.split(/\u001b\[([0-9]+)m/)
  let style: Style = { color: plain, bold: false }
  const pieces: Piece[] = []
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 1) style = styled(style, part)
    else pieces.push({ ...style, text: part, column: widthOf(pieces) })
  }
  return pieces
}

function styled(style: Style, parameter: string): Style {
  if (parameter === '1') return { ...style, bold: true }
  if (parameter === '2') return { ...style, color: faint }
  if (parameter === '22') return { color: style.color === faint ? plain : style.color, bold: false }
  return { ...style, color: colors[parameter] ?? plain }
}

/** Each piece at its own column, so that it stands right in whatever font there is. */
function tspan({ color, bold, text: content, column }: Piece): string {
  const start = content.length - content.trimStart().length
  if (start === content.length) return ''
  const x = (margin + (column + start) * charWidth).toFixed(1)
  const weight = bold ? ' font-weight="bold"' : ''
  return `<tspan x="${x}" fill="${color}"${weight}>${escaped(content.trim())}</tspan>`
}

function widthOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { text: { length } }) => sum + length, 0)
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(pictureOf(await text(process.stdin)))
