import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import openWabt from 'wabt'
import { starkCurve } from '../group/noble.ts'
import { assemble } from './assembler.ts'
import { bitRoutines } from './bit-routines.ts'
import { curveRoutines } from './curve-routines.ts'
import { numberRoutines } from './numbers.ts'
import { rowRoutines } from './scalars.ts'
import { moduli, orders } from './testing/oracle.ts'

/**
 * All instructions there may be. None turns a word of 64 bits into an index of 32, and every reading of
 * memory gives a word. So whatever a branch or an address is made from, it is not data: that much
 * WebAssembly's validation sees to.
 */
const allowed = [
  ...['local.get', 'local.set', 'loop', 'br_if', 'end', 'call'],
  ...['i32.const', 'i32.add', 'i32.sub', 'i32.and', 'i32.shl', 'i32.shr_u'],
  ...['i64.const', 'i64.add', 'i64.sub', 'i64.mul', 'i64.and', 'i64.or', 'i64.xor'],
  ...['i64.shl', 'i64.shr_s', 'i64.shr_u', 'i64.extend_i32_u'],
  ...['i64.load', 'i64.load8_u', 'i64.store'],
]

const field = { value: starkCurve.p, bits: 251 }
const places = { b3: 0, chosen: 1_000, scratch: 2_000 }
const modules = [
  ['bits', assemble(bitRoutines, 2)] as const,
  ...Object.entries(orders).map(
    ([name, modulus]) => [`numbers of ${name}`, assemble(numberRoutines(modulus), 1)] as const,
  ),
  ...Object.entries(moduli).map(
    ([name, modulus]) => [`rows of ${name}`, assemble(rowRoutines(modulus), 8)] as const,
  ),
  ['points of stark', assemble(curveRoutines({ field, b: starkCurve.b }, places), 8)] as const,
]

describe('the modules of the kernel, as another program reads them', () => {
  for (const [name, bytes] of modules) {
    it(`${name}: no branch and no address can depend on data`, async () => {
      const lines = await disassembled(bytes)
      const instructions = lines.filter((line) => /^\s{4,}[a-z]/.test(line))
      const used = new Set(instructions.flatMap((line) => line.trim().split(/[ ()]/)[0] ?? []))
      assert.deepEqual(
        [...used].filter((instruction) => !allowed.includes(instruction)),
        [],
      )
      assert.ok(instructions.length > 1_000)
    })

    it(`${name}: nothing but counts and addresses goes in, and nothing comes out`, async () => {
      const lines = await disassembled(bytes)
      assert.equal(
        lines.filter((line) => /\((?:import|global|table|elem|data)\b/.test(line)).length,
        0,
      )
      for (const line of lines.filter((each) => /^ {2}\((?:func|type)\b/.test(each))) {
        assert.doesNotMatch(line, /\(result/)
        assert.doesNotMatch(line, /\(param[^)]*i64/)
      }
    })

    it(`${name}: branches only go back in a loop, once for each`, async () => {
      const lines = (await disassembled(bytes)).map((line) => line.trim())
      const loops = lines.filter((line) => line.startsWith('loop'))
      const branches = lines.filter((line) => line.startsWith('br'))
      assert.ok(loops.length > 0)
      assert.equal(branches.length, loops.length)
    })
  }

  it('are the same bytes every time, and on every machine', () => {
    const digests = modules.map(([, bytes]) =>
      createHash('sha256').update(bytes).digest('hex').slice(0, 16),
    )
    assert.deepEqual(digests, [
      '9525a3c4359d82bd',
      '0bf962c9447d53a1',
      'ac88e2084447a885',
      '2da66e76a5fc12f3',
      'af75e0b9f2e3efde',
      '5b0bd862ab68deeb',
      '706795b02c1a2814',
    ])
  })
})

async function disassembled(bytes: Uint8Array): Promise<readonly string[]> {
  const wabt = await openWabt()
  const module = wabt.readWasm(bytes, {})
  try {
    module.validate()
    return module.toText({ foldExprs: false, inlineExport: false }).split('\n')
  } finally {
    module.destroy()
  }
}
