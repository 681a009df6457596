import type { Db } from '../db/database.js';
import { hasProject } from '../db/projects.js';
import { ProblemError } from './errors.js';

/** @throws ProblemError `unknown_project` naming `path`, when there is no such project of the user's */
export async function assertOwnProject(
  db: Db,
  userId: string,
  projectId: string | null | undefined,
  path = 'body.projectId',
): Promise<void> {
  if (projectId == null || (await hasProject(db, userId, projectId))) return;
  throw unknownProject(path);
}

export const unknownProject = (path = 'body.projectId'): ProblemError =>
  new ProblemError('unknown_project', { errors: [{ path, message: 'there is no such project' }] });
