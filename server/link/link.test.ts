import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import type { Manifest } from '@quorate/authority/manifest'
import { makeCluster } from '@quorate/authority/testing/world'
import { framed } from '@quorate/wire/framing'
import { encodeFrame, linkProtocol } from '@quorate/wire/link'
import { Link } from './link.ts'

const hash = new Uint8Array(32)
const bootId = new Uint8Array(16)

describe('a link', () => {
  it('ends, and nothing else with it, when its bytes cannot be taken for whatever reason', async () => {
    const stream = new PassThrough()
    const { manifest } = makeCluster()
    const link = new Link(stream, { signer: 1, manifest: unreadable(manifest) })
    stream.write(
      framed(
        encodeFrame({ kind: 'hello', protocol: linkProtocol, manifest: hash, signer: 1, bootId }),
      ),
    )
    assert.equal(await link.opened, false)
    assert.equal(await link.closed, 'its bytes could not be taken: RangeError')
  })
})

/** Stands for a fault that nobody has thought of. */
function unreadable(manifest: Manifest): Manifest {
  return {
    ...manifest,
    get hash(): Uint8Array {
      throw new RangeError('stack size exceeded')
    },
  }
}
