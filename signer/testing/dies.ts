import { logTo } from '../log.ts'
import { signerSettings } from '../settings.ts'
import type { Signer } from '../signer.ts'
import { startSigner } from '../start.ts'

/**
 * A signer that is killed at the worst moment: what an answer rests on is on its disk, and nobody
 * has heard the answer. The argument names the answer, such as `vote` or `aborted`.
 */
const [, , worst] = process.argv

startSigner(signerSettings(), {
  clock: { wall: Date.now, steady: () => performance.now() },
  log: logTo((line) => process.stdout.write(line)),
  onDefect: () => process.exit(70),
  between: ({ hello, answer }: Signer) => ({
    hello,
    async answer(call) {
      const reply = await answer(call)
      const said = [
        reply.kind === 'agree' ? reply.answer.kind : '',
        reply.kind === 'session' ? reply.session.kind : '',
      ]
      if (worst !== undefined && said.includes(worst)) process.kill(process.pid, 'SIGKILL')
      return reply
    },
  }),
})
