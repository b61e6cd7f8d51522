import { after, before, describe } from 'node:test'
import { killedPools } from './faults/pool.ts'
import { makePlatform } from './platform.ts'
import { pooledKeys } from './sdk/pool.ts'

const keyPool = 4
const platform = await makePlatform(keyPool)

/** A platform of its own: without a pool a missing signer is missed, which others' tests are about. */
describe('a platform whose keys are born ahead of need', () => {
  before(() => platform.start())
  after(() => platform.remove())
  pooledKeys(platform, keyPool)
  killedPools(platform, keyPool)
})
