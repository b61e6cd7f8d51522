/** Questions to a node at one time: a block of thousands is asked about in pieces. */
const askedAtOnce = 16

/** In the order of what was asked; no more than some questions are under way at a time. */
export async function inPieces<T, Answer>(
  all: readonly T[],
  ask: (one: T) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let i = 0; i < all.length; i += askedAtOnce)
    answers.push(...(await Promise.all(all.slice(i, i + askedAtOnce).map(ask))))
  return answers
}
