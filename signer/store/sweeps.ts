import type { DatabaseSync } from 'node:sqlite'
import { blobOf, numberOf, textOf } from './row.ts'
import type { SweepTable } from './store.ts'

/** @param forget what is kept in memory of the rows of voters and steps */
export function sweepTable(db: DatabaseSync, forget: () => void): SweepTable {
  const begin = db.prepare("insert or replace into sweeps values (?, '', -1, 0, '')")
  const next = db.prepare('select * from sweeps order by done limit 1')
  const write = db.prepare(
    'update sweeps set step_stream = ?, step_seq = ?, voter_stream = ?, done = ? where organization = ?',
  )
  const end = db.prepare('delete from sweeps where done = 1')
  const readSteps = db.prepare(
    `select stream, seq, body from steps
     where organization = ? and (stream, seq) > (?, ?) order by stream, seq limit ?`,
  )
  const writeStep = db.prepare(
    'update steps set body = ? where organization = ? and stream = ? and seq = ?',
  )
  const readVoters = db.prepare(
    'select stream, state from voters where organization = ? and stream > ? order by stream limit ?',
  )
  const writeVoter = db.prepare('update voters set state = ? where organization = ? and stream = ?')
  return {
    begin(organization) {
      begin.run(organization)
    },
    next() {
      const row = next.get()
      if (row === undefined) return undefined
      return {
        organization: blobOf(row, 'organization'),
        step: { stream: textOf(row, 'step_stream'), seq: numberOf(row, 'step_seq') },
        voter: textOf(row, 'voter_stream'),
        isDone: numberOf(row, 'done') === 1,
      }
    },
    advance({ organization, step, voter, isDone }) {
      write.run(step.stream, step.seq, voter, isDone ? 1 : 0, organization)
    },
    end() {
      end.run()
    },
    stepsAfter({ organization, step: { stream, seq } }, limit) {
      return readSteps.all(organization, stream, seq, limit).map((row) => ({
        stream: textOf(row, 'stream'),
        seq: numberOf(row, 'seq'),
        body: blobOf(row, 'body'),
      }))
    },
    replaceBody(organization, { stream, seq, body }) {
      writeStep.run(body, organization, stream, seq)
      forget()
    },
    votersAfter({ organization, voter }, limit) {
      return readVoters.all(organization, voter, limit).map((row) => ({
        stream: textOf(row, 'stream'),
        state: blobOf(row, 'state'),
      }))
    },
    replaceVoter(organization, { stream, state }) {
      writeVoter.run(state, organization, stream)
      forget()
    },
  }
}
