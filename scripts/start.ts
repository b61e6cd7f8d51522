import { bootstrap } from '@quorate/cli/bootstrap'
import { runPlatform } from './run-platform.ts'
import { startSettings } from './settings.ts'

/** `npm start` */
export function main(stopSignal: AbortSignal): Promise<number> {
  return runPlatform(startSettings(process.env), stopSignal, { bootstrap })
}
