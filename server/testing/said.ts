import assert from 'node:assert/strict'

/** A line of a log as tests keep it: of an error JSON alone would leave nothing. */
export function lineOf(context: object, message: string): string {
  return `${message} ${JSON.stringify(context, (_, value: unknown) => (value instanceof Error ? told(value) : value))}`
}

function told(error: Error): string {
  const cause = error.cause === undefined ? '' : `, since ${String(error.cause)}`
  return `${error.stack ?? String(error)}${cause}`
}

/**
 * Nothing may be left of what was said and nobody understands: work is tried again, so a step that fails
 * and then succeeds shows nowhere else. A test that provokes it takes it out.
 */
export function assertUnderstood(said: readonly unknown[]): void {
  assert.deepEqual(said, [], 'something was said that no test has taken out')
}

/** What is wrong with the program itself, and what its workers have not understood, whoever dies around them. */
const defect =
  /^(?:(?:a step failed|a row was left) .*|.*\b(?:TypeError|RangeError|ReferenceError|SyntaxError|AssertionError)\b.*)$/gm

/** Lines of processes that are killed and hindered: failures are expected there, and never a defect. */
export function defectsIn(output: string): readonly string[] {
  return output.match(defect) ?? []
}
