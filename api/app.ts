import type { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import { createAllowedMethods } from './allowed-methods.js';
import type { AppDeps, AppEnv, RouteDeps } from './context.js';
import { isDatabaseAway } from './database-errors.js';
import { problemBody, ProblemError } from './errors.js';
import { createJobViews } from './job-views.js';
import { createMetrics } from './metrics.js';
import { authenticate } from './middleware/authenticate.js';
import { requireAdmin } from './middleware/authorize.js';
import { limitBody } from './middleware/body-limit.js';
import { discardRefusedBody } from './middleware/refused-body.js';
import { requestContext } from './middleware/request-context.js';
import { securityHeaders } from './middleware/security-headers.js';
import { openApiInfo } from './openapi.js';
import { createRouter } from './router.js';
import { activityRoutes } from './routes/activities.js';
import { adminRecordRoutes } from './routes/admin-records.js';
import { adminStatsRoutes } from './routes/admin-stats.js';
import { adminUserRoutes } from './routes/admin-users.js';
import { apiKeyRoutes } from './routes/api-keys.js';
import { logoutRoutes, publicAuthRoutes } from './routes/auth.js';
import { avatarRoutes } from './routes/avatars.js';
import { assetRoutes } from './routes/assets.js';
import { creditRoutes } from './routes/credits.js';
import { docsRoutes } from './routes/docs.js';
import { jobApprovalRoutes } from './routes/job-approval.js';
import { jobChangeRoutes } from './routes/job-changes.js';
import { jobEventRoutes } from './routes/job-events.js';
import { jobFileRoutes } from './routes/job-files.js';
import { jobRoutes } from './routes/jobs.js';
import { mediaJobRoutes } from './routes/media-jobs.js';
import { nameAudioRoutes } from './routes/name-audio.js';
import { operationRoutes } from './routes/operations.js';
import { personalizedRoutes } from './routes/personalized.js';
import { projectRoutes } from './routes/projects.js';
import { recipientRoutes } from './routes/recipients.js';
import { sceneRoutes } from './routes/scenes.js';
import { stageRoutes } from './routes/stages.js';
import { uploadContentRoutes, uploadRoutes } from './routes/uploads.js';
import { userRoutes } from './routes/users.js';
import { webhookSecretRoutes } from './routes/webhook-secret.js';
import { videoFileRoutes } from './routes/video-files.js';
import { videoRoutes } from './routes/videos.js';

/** The whole HTTP interface. It holds no connection of its own: what it works with comes in and is closed outside. */
export function createApp(deps: AppDeps): OpenAPIHono<AppEnv> {
  const metrics = createMetrics(deps.db);
  const routeDeps: RouteDeps = { ...deps, metrics, views: createJobViews(deps) };

  const app = createRouter();
  app.use(requestContext({ logger: deps.logger, metrics }), securityHeaders, discardRefusedBody, limitBody);
  app.onError((thrown, c) => {
    const error = toProblem(thrown);
    if (error.status >= 500) {
      c.var.logger.error({ action: 'answer request', success: false, err: error.cause ?? error });
    }
    return c.body(JSON.stringify(problemBody(error, c.var.requestId)), error.status as 500, {
      ...error.headers,
      'content-type': 'application/problem+json',
    });
  });
  app.notFound((c) => {
    const allowed = allowedMethods(c.req.path);
    if (allowed.length === 0) throw new ProblemError('not_found');
    throw new ProblemError('method_not_allowed', { headers: { allow: allowed.join(', ') } });
  });

  app.get('/', (c) => c.redirect('/docs'));
  app.route('/', operationRoutes(routeDeps));
  app.route('/', docsRoutes());
  // Made once: the routes do not change, and everybody may ask.
  let document: object | undefined;
  app.get('/openapi.json', (c) => c.json((document ??= app.getOpenAPI31Document(openApiInfo))));
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });

  // What stands above this line needs no token, everything below it does, also what is not there.
  app.route('/api/v1/auth', publicAuthRoutes(routeDeps));
  app.route('/api/v1', uploadContentRoutes(routeDeps));
  app.use('/api/v1/*', authenticate(deps.db));
  app.use('/api/v1/admin/*', requireAdmin);
  app.route('/api/v1/auth', logoutRoutes(routeDeps));
  for (const routes of [
    userRoutes,
    avatarRoutes,
    apiKeyRoutes,
    adminUserRoutes,
    adminRecordRoutes,
    adminStatsRoutes,
    webhookSecretRoutes,
    projectRoutes,
    uploadRoutes,
    assetRoutes,
    jobRoutes,
    jobChangeRoutes,
    jobApprovalRoutes,
    jobEventRoutes,
    jobFileRoutes,
    videoRoutes,
    videoFileRoutes,
    sceneRoutes,
    stageRoutes,
    personalizedRoutes,
    mediaJobRoutes,
    recipientRoutes,
    creditRoutes,
    activityRoutes,
    nameAudioRoutes,
  ]) {
    app.route('/api/v1', routes(routeDeps));
  }
  const allowedMethods = createAllowedMethods(app.routes);
  return app;
}

/** Whatever was thrown, as something that may be shown. */
function toProblem(thrown: Error): ProblemError {
  if (thrown instanceof ProblemError) return thrown;
  if (isDatabaseAway(thrown)) return new ProblemError('database_unavailable', { cause: thrown });
  if (thrown instanceof HTTPException) {
    switch (thrown.status) {
      case 400:
        return new ProblemError(thrown.message.includes('JSON') ? 'malformed_json' : 'malformed_request');
      case 413:
        return new ProblemError('body_too_large');
      case 415:
        return new ProblemError('unsupported_media_type');
      default:
        break;
    }
  }
  return new ProblemError('internal_error', { cause: thrown });
}
