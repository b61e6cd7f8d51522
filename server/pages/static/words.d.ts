/** Served from `core/word-list`: there is no second copy of it. */
export const words: readonly string[]
