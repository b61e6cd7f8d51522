type Node = {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
  readonly children?: readonly number[]
}
type Profile = {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const shown = 25

/** The functions that a V8 profile spent most time in: by themselves, and with all they called. */
export function hottest(text: string): readonly string[] {
  const { nodes, samples, timeDeltas }: Profile = JSON.parse(text)
  const own = new Map<number, number>()
  for (const [i, id] of samples.entries()) own.set(id, (own.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const [root] = nodes
  const [self, total] = [new Map<string, number>(), new Map<string, number>()]
  const visit = (node: Node, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    const inside = new Set(above).add(name)
    const alone = own.get(node.id) ?? 0
    const children = (node.children ?? []).flatMap((id) => byId.get(id) ?? [])
    const sum = children.reduce((all, child) => all + visit(child, inside), alone)
    self.set(name, (self.get(name) ?? 0) + alone)
    if (!above.has(name)) total.set(name, (total.get(name) ?? 0) + sum)
    return sum
  }
  if (root !== undefined) visit(root, new Set())
  const idle = self.get('(idle)') ?? 0
  const busy = (total.get('(root)') ?? 0) - idle
  return [...table('by themselves', self, busy), ...table('with all they called', total, busy)]
}

function table(title: string, times: ReadonlyMap<string, number>, busy: number): readonly string[] {
  const rows = [...times]
    .filter(([name]) => name !== '(idle)' && name !== '(root)')
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, us]) => `${((us * 100) / busy).toFixed(1).padStart(6)} %  ${name}`)
  return [`  ${title}, of ${(busy / 1e6).toFixed(1)} s`, ...rows]
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const place = url
    .replace(/^.*\/node_modules\//, '')
    .replace(/^file:\/\/.*\/(?=[^/]+\/[^/]+$)/, '')
  return `${functionName || '(anonymous)'}${place === '' ? '' : ` ${place}:${lineNumber + 1}`}`
}
