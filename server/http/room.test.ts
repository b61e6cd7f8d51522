import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Room } from './room.ts'

const organization = new Uint8Array(32).fill(1)

/** What is there, and how often somebody has looked. */
class Shelf {
  rows = 0
  looks = 0
  readonly count = async (max: number) => {
    this.looks += 1
    return Math.min(this.rows, max)
  }

  async put(room: Room, of = organization): Promise<boolean> {
    const hasRoom = await room.take(of, this.count)
    if (hasRoom) this.rows += 1
    return hasRoom
  }
}

describe('room for so many', () => {
  it('is for no more and no fewer, and seldom counted', async () => {
    const [shelf, room] = [new Shelf(), new Room(4_096, () => 0)]
    for (let i = 0; i < 4_096; i++) assert.ok(await shelf.put(room))
    assert.ok(!(await shelf.put(room)))
    assert.equal(shelf.rows, 4_096)
    assert.ok(shelf.looks < 150, `${shelf.looks}`)
  })

  it('is for no more where sixteen servers fill it at once', async () => {
    const shelf = new Shelf()
    const rooms = Array.from({ length: 16 }, () => new Room(2_000, () => 0))
    for (let i = 0; i < 300; i++) for (const room of rooms) await shelf.put(room)
    assert.equal(shelf.rows, 2_000)
  })

  it('is counted again after a minute, as others may have filled it', async () => {
    let now = 0
    const [shelf, room] = [new Shelf(), new Room(1_000, () => now)]
    assert.ok(await shelf.put(room))
    shelf.rows = 1_000
    assert.ok(await shelf.put(room))
    now = 60_000
    assert.ok(!(await shelf.put(room)))
  })

  it('costs nobody a count for a second once it is full, and has room again then', async () => {
    let now = 0
    const [shelf, room] = [new Shelf(), new Room(10, () => now)]
    shelf.rows = 10
    for (let i = 0; i < 5; i++) assert.ok(!(await shelf.put(room)))
    assert.equal(shelf.looks, 1)
    shelf.rows = 9
    now = 999
    assert.ok(!(await shelf.put(room)))
    now = 1_000
    assert.ok(await shelf.put(room))
    assert.equal(await shelf.put(room, new Uint8Array(32)), false)
  })
})
