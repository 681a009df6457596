import { sql, type Selectable, type Transaction } from 'kysely';
import type { Db } from './database.js';
import { releaseJobFiles } from './job-files.js';
import { liveStatuses } from './job-status.js';
import { cursorAt, isBehind, type Position } from './pages.js';
import type { Database, ProjectsTable } from './schema.js';
import { deleteVideosOfProject } from './video-removal.js';

export type ProjectRow = Selectable<ProjectsTable>;
export type ProjectStatus = ProjectRow['status'];

export function insertProject(
  db: Db,
  userId: string,
  project: { name: string; description: string; status: ProjectStatus },
): Promise<ProjectRow> {
  return db
    .insertInto('projects')
    .values({ ...project, user_id: userId })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findProject(db: Db, userId: string, id: string): Promise<ProjectRow | undefined> {
  return db
    .selectFrom('projects')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
}

/** Newest first, one row more than `limit` when there is more. */
export function listProjects(
  db: Db,
  userId: string,
  filter: { status?: ProjectStatus | undefined; after: Position | undefined; limit: number },
): Promise<(ProjectRow & { cursorAt: string })[]> {
  let query = db
    .selectFrom('projects')
    .selectAll()
    .select(cursorAt('projects'))
    .where('user_id', '=', userId)
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit + 1);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.after !== undefined) query = query.where(isBehind('projects', filter.after));
  return query.execute();
}

/** Changes just what is given. Undefined when there is no such project. */
export function updateProject(
  db: Db,
  userId: string,
  id: string,
  change: { name?: string | undefined; description?: string | undefined; status?: ProjectStatus | undefined },
): Promise<ProjectRow | undefined> {
  return db
    .updateTable('projects')
    .set({ ...change, updated_at: new Date() })
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
}

export interface ProjectContents {
  jobs: number;
  liveJobs: number;
  videos: number;
  assets: number;
}

/**
 * Holds the project so that nothing joins it before the transaction ends, and counts what is in it. Undefined when
 * there is no such project.
 */
export async function lockProject(
  trx: Transaction<Database>,
  userId: string,
  id: string,
): Promise<(ProjectContents & { name: string }) | undefined> {
  const project = await trx
    .selectFrom('projects')
    .select('name')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst();
  if (project === undefined) return undefined;
  const count = (table: 'jobs' | 'videos' | 'assets') =>
    trx
      .selectFrom(table)
      .select((eb) => eb.fn.countAll<string>().as('count'))
      .where('project_id', '=', id)
      .executeTakeFirstOrThrow();
  const [jobs, videos, assets] = [await count('jobs'), await count('videos'), await count('assets')];
  const live = await trx
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('project_id', '=', id)
    .where('status', 'in', liveStatuses)
    .executeTakeFirstOrThrow();
  return {
    name: project.name,
    jobs: Number(jobs.count),
    liveJobs: Number(live.count),
    videos: Number(videos.count),
    assets: Number(assets.count),
  };
}

/** Removes the project's videos and assets, and the files of its jobs, which stay as a record. */
export async function deleteContents(trx: Transaction<Database>, userId: string, id: string): Promise<void> {
  await deleteVideosOfProject(trx, userId, id);
  const jobs = await trx
    .selectFrom('jobs')
    .select('jobs.id')
    .where('jobs.project_id', '=', id)
    .where('jobs.user_id', '=', userId)
    // A video that stays needs what the jobs that made it were given.
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('videos')
            .select('videos.id')
            .where(({ eb, ref, or }) =>
              or([eb('videos.id', '=', ref('jobs.id')), eb('videos.id', '=', ref('jobs.video_id'))]),
            ),
        ),
      ),
    )
    .execute();
  await releaseJobFiles(
    trx,
    jobs.map((job) => job.id),
  );
  await trx.deleteFrom('assets').where('project_id', '=', id).where('user_id', '=', userId).execute();
}

/** Removes the project; what is still in it belongs to none then. */
export async function deleteProject(trx: Transaction<Database>, userId: string, id: string): Promise<void> {
  await trx.deleteFrom('projects').where('id', '=', id).where('user_id', '=', userId).execute();
}

/** Whether the user has this project. */
export async function hasProject(db: Db, userId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('projects')
    .select(sql`1`.as('one'))
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row !== undefined;
}
