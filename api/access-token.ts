import { z } from 'zod'
import { date } from './words.ts'

export const permissionAssignments = z.array(
  z.object({
    permissionName: z.string(),
    permissionId: z.string(),
    assignmentId: z.string(),
    operations: z.array(z.string()).optional(),
  }),
)

/** A long-lived token; the token itself is shown once, when it is made. */
export const accessTokenOf = <K extends string>(kind: K) =>
  z.object({
    accessToken: z.string().optional(),
    dateCreated: date,
    credId: z.string(),
    isActive: z.boolean(),
    kind: z.literal(kind),
    linkedUserId: z.string(),
    linkedAppId: z.string(),
    name: z.string(),
    orgId: z.string(),
    permissionAssignments,
    publicKey: z.string(),
    tokenId: z.string(),
  })

/** The documented bounds: two years. */
export const daysValid = z.int().min(1).max(730)
export const secondsValid = z
  .int()
  .min(1)
  .max(730 * 24 * 60 * 60)
