import { bootstrap, refresh, type BootstrapFile } from '@quorate/cli/bootstrap'
import type { Bootstrap } from './platform.ts'
import { runPlatform } from './run-platform.ts'
import { startSettings } from './settings.ts'
import type { BackOff } from './supervisor.ts'

/** `npm start` */
export function main(stopSignal: AbortSignal, backOff?: BackOff): Promise<number> {
  return runPlatform(startSettings(process.env), stopSignal, {
    bootstrap: makeOrRenew,
    ...(backOff === undefined ? {} : { backOff }),
  })
}

/** The file is this program's own, written whole or not at all. */
const makeOrRenew: Bootstrap = ({ earlier, ...ask }) =>
  earlier === undefined
    ? bootstrap(ask)
    : refresh({ ...(earlier as BootstrapFile), baseUrl: ask.baseUrl })
