import { createRoute, z } from '@hono/zod-openapi';
import { clearNameAudio } from '../../db/name-audio.js';
import type { RouteDeps } from '../context.js';
import { bearer, createRouter, jsonAnswer, problems, type Router } from '../router.js';

const clear = createRoute({
  method: 'post',
  path: '/cache/name-audio/clear',
  tags: ['Personalized videos'],
  summary: 'Forget the names that were said for me, so that they are said anew',
  description:
    'Names are kept by voice, text, language and speed, for whoever asks for the same. Those that were also said for others stay until they have cleared them too.',
  security: bearer,
  responses: {
    200: jsonAnswer('How many were forgotten', z.object({ deleted: z.int() }).openapi('ClearedNameAudio')),
    ...problems(401),
  },
});

export function nameAudioRoutes({ db }: RouteDeps): Router {
  return createRouter().openapi(clear, async (c) =>
    c.json({ deleted: await clearNameAudio(db, c.var.user.id) }, 200),
  );
}
