import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

import type { DfnsApiClient } from '@dfns/sdk'
import { Ajv } from 'ajv'
import type { AnySchemaObject, ValidateFunction } from 'ajv'
import { createGenerator } from 'ts-json-schema-generator'
import type { SchemaGenerator } from 'ts-json-schema-generator'

type ClientName =
  | 'auth'
  | 'feeSponsors'
  | 'keys'
  | 'networks'
  | 'permissions'
  | 'wallets'
  | 'webhooks'
/** A method of the official client, such as `wallets.createWallet`. */
export type SdkOperation = {
  [C in ClientName]: `${C}.${keyof DfnsApiClient[C] & string}`
}[ClientName]
/** @returns what is wrong with the answer; nothing is the good case */
export type CheckResponse = (operation: SdkOperation, body: unknown) => readonly string[]

/** An answer that is of the wrong kind altogether breaks each branch of a large union. */
const problemsMax = 10
const generated = join(dirname(createRequire(import.meta.url).resolve('@dfns/sdk')), 'generated')

/** Without ambient types and with the smallest library, reading takes a third of the time. */
const tsconfig = join(import.meta.dirname, 'tsconfig.json')

let checker: Promise<CheckResponse> | undefined

/**
 * Holds answers against the types that the official client publishes, so that nobody's reading of
 * them stands between: required members and enums must be right, further members are welcome.
 * Types are read on first use, about a second for each part of the client.
 */
export function responseChecker(): Promise<CheckResponse> {
  checker ??= Promise.resolve(makeChecker())
  return checker
}

function makeChecker(): CheckResponse {
  const ajv = new Ajv({ allErrors: true, strict: false })
  const generators = new Map<string, SchemaGenerator>()
  const validators = new Map<SdkOperation, ValidateFunction>()

  const validatorOf = (operation: SdkOperation): ValidateFunction => {
    const known = validators.get(operation)
    if (known !== undefined) return known
    const [client = '', method = ''] = operation.split('.')
    const generator = generators.get(client) ?? generatorOf(client)
    generators.set(client, generator)
    // Two packages, one standard, and two readings of what an absent member's type is.
    const schema = generator.createSchema(responseType(method)) as AnySchemaObject
    const validate = ajv.compile(schema)
    validators.set(operation, validate)
    return validate
  }

  return (operation, body) => {
    const validate = validatorOf(operation)
    if (validate(body)) return []
    return (validate.errors ?? [])
      .slice(0, problemsMax)
      .map(
        ({ instancePath, message, params }) =>
          `${operation} ${instancePath} ${message} ${JSON.stringify(params)}`,
      )
  }
}

function generatorOf(client: string): SchemaGenerator {
  return createGenerator({
    path: join(generated, client, 'types.d.ts'),
    tsconfig,
    additionalProperties: true,
    jsDoc: 'none',
    skipTypeCheck: true,
  })
}

/** `createWallet` answers a `CreateWalletResponse`: the client is generated, so without exception. */
function responseType(method: string): string {
  return `${method.charAt(0).toUpperCase()}${method.slice(1)}Response`
}
