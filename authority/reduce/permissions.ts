import { equalBytes } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { assignmentTable, grantsTable, permissionTable, tokenTable, userTable } from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { vouched } from './confirmation.ts'
import { find, refuse, type Judging } from './judging.ts'
import { put, putName, type Reduced } from './writes.ts'

const grantsMax = 64

/** `POST /permissions/:permissionId/assignments` */
export function reduceAssignment(judging: Judging, authored: Authored): Reduced {
  const permission = subjectId(judging, 'permissionId')
  const identity = subjectId(judging, 'identityId')
  if (find(judging, permissionTable, permission)?.status !== 'active')
    refuse('there is no such permission')
  const token = find(judging, tokenTable, identity)
  if (token === undefined && find(judging, userTable, identity) === undefined)
    refuse('there is no such identity')
  const entries = find(judging, grantsTable, identity)?.entries ?? []
  if (entries.some((entry) => equalBytes(entry.permission, permission)))
    refuse('the permission is assigned already')
  if (entries.length >= grantsMax) refuse('too many permissions for one identity')
  const assignment = idOf(judging.request, 'assignment')
  const { confirmed, writes } = vouched(judging, authored)
  return {
    operation: { kind: 'assignment', permission, identity, confirmed },
    writes: [
      put(grantsTable, [identity], { entries: [...entries, { permission, assignment }] }),
      put(assignmentTable, [assignment], { permission, identity, status: 'active' }),
      ...(token === undefined ? [] : [put(tokenTable, [identity], { ...token, scoped: 'yes' })]),
      putName(judging, 'assignment', assignment),
      ...writes,
    ],
  }
}

/** `POST /permissions` */
export function reducePermission(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `PUT /permissions/:permissionId`, `PUT /permissions/:permissionId/archive` */
export function reducePermissionUpdate(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** `DELETE /permissions/:permissionId/assignments/:assignmentId` */
export function reduceAssignmentEnd(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
