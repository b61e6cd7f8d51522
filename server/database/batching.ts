/** Enough for all that one server does at once; a statement stays small. */
const questionsMax = 256

type Waiting<Q, A> = {
  readonly question: Q
  readonly resolve: (answer: A) => void
  readonly reject: (error: unknown) => void
}

/**
 * Questions of one kind are put together: those of one moment, and under load those that come while
 * the last ones are being answered. Each is asked after it came, so an answer is never an old one.
 *
 * @param ask gives the answers in the order of the questions
 */
export function batching<Q, A>(
  ask: (questions: readonly Q[]) => Promise<readonly A[]>,
): (question: Q) => Promise<A> {
  let waiting: Waiting<Q, A>[] = []
  let isRunning = false
  const run = async (): Promise<void> => {
    // What comes in the same moment comes along.
    await undefined
    while (waiting.length > 0) {
      const batch = waiting.slice(0, questionsMax)
      waiting = waiting.slice(questionsMax)
      try {
        const answers = await ask(batch.map(({ question }) => question))
        if (answers.length !== batch.length) throw new Error('A question was not answered.')
        for (const [i, answer] of answers.entries()) batch[i]?.resolve(answer)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    isRunning = false
  }
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject })
      if (isRunning) return
      isRunning = true
      void run()
    })
}
