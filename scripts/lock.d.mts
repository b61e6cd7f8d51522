export function tryLock(file: string): { release(): void } | undefined
