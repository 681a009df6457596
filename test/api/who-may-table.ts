import sharp from 'sharp';
import type { Belongings } from './belongings.js';

/** Who gets through to an operation. For everybody else's things an owner's operation answers as for none. */
export type Audience = 'anybody' | 'user' | 'owner' | 'admin';

export interface Expectation {
  who: Audience;
  /** Status for whom it lets through, with everything right. Not 404: the things must be there. */
  ok: number;
  /** Refuses API keys, whoever's they are. */
  needsLogin?: true;
  /** A JSON body, or a form, that is taken. */
  body?: (mine: Belongings) => unknown;
  /** Other bodies that are taken, by the members naming a thing that only they have. */
  otherBodies?: Record<string, (mine: Belongings) => unknown>;
  form?: () => FormData;
  query?: string;
  /** Path parameters that are other than their name and place say. */
  ids?: (mine: Belongings) => Record<string, string>;
  /** What it leaves in the audit log: a row for each deed of an admin, of a login or of money. Nothing without it. */
  audit?: string[];
  /** Of members of the body that name a thing: whose it is, where the name does not say it. */
  bodyIds?: Record<string, (mine: Belongings) => string>;
}

const anybody = (ok: number, more: Partial<Expectation> = {}): Expectation => ({
  who: 'anybody',
  ok,
  ...more,
});
const user = (ok: number, more: Partial<Expectation> = {}): Expectation => ({ who: 'user', ok, ...more });
const owner = (ok: number, more: Partial<Expectation> = {}): Expectation => ({ who: 'owner', ok, ...more });
const admin = (ok: number, more: Partial<Expectation> = {}): Expectation => ({ who: 'admin', ok, ...more });

const prompt = () => ({ prompt: 'Tides' });
const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: '#204060' } })
  .png()
  .toBuffer();
const image = () => {
  const form = new FormData();
  form.append('image', new Blob([picture], { type: 'image/png' }), 'me.png');
  return form;
};
const file = () => {
  const form = new FormData();
  form.append('kind', 'image');
  form.append('file', new Blob([picture], { type: 'image/png' }), 'me.png');
  return form;
};
const batch = (mine: Belongings) => ({
  baseVideoAssetId: mine.videoAssetId,
  recipientsAssetId: mine.recipientsAssetId,
  insertMode: 'gold',
});
const conversion = (mine: Belongings) => ({ assetId: mine.videoAssetId });
const lipsync = (mine: Belongings) => ({ videoAssetId: mine.videoAssetId, audioAssetId: mine.assetId });
const among = (names: readonly string[], body: (mine: Belongings) => unknown) =>
  Object.fromEntries(names.map((name) => [`parameters.${name}`, body]));
const newAccount = () => ({ email: `${crypto.randomUUID()}@example.com`, password: 'correct horse' });
const failedJob = { ids: (mine: Belongings) => ({ id: mine.failedJobId }) };
const held = { audit: ['credits.held'] };

/** One line an operation of the OpenAPI document. */
export const expectations: Record<string, Expectation> = {
  'GET /health': anybody(200),
  'GET /ready': anybody(200),
  'GET /metrics': anybody(200),

  'POST /auth/register': anybody(201, { body: newAccount, audit: ['auth.registered'] }),
  'POST /auth/login': anybody(401, { body: newAccount, audit: ['auth.login_refused'] }),
  'POST /auth/refresh': anybody(401, { body: () => ({ refreshToken: 'nobody-has-it' }) }),
  'POST /auth/logout': user(204, { needsLogin: true, audit: ['auth.logged_out'] }),

  'GET /users/me': user(200),
  'PUT /users/me': user(200, { body: () => ({ name: 'Mine' }) }),
  'POST /users/me/password': user(204, {
    needsLogin: true,
    body: () => ({ currentPassword: 'correct horse', newPassword: 'another horse' }),
    audit: ['auth.password_changed'],
  }),
  'PUT /users/me/avatar': user(200, { form: image }),
  'DELETE /users/me/avatar': user(204),
  'GET /users/{id}/avatar': user(200, { ids: (mine) => ({ id: mine.userId }) }),
  'GET /users/me/api-keys': user(200, { needsLogin: true }),
  'POST /users/me/api-keys': user(201, {
    needsLogin: true,
    body: () => ({ name: 'mine' }),
    audit: ['auth.api_key_created'],
  }),
  'DELETE /users/me/api-keys/{id}': owner(204, {
    needsLogin: true,
    ids: (mine) => ({ id: mine.apiKeyId }),
    audit: ['auth.api_key_deleted'],
  }),
  'GET /users/me/webhook-secret': user(200, { needsLogin: true }),
  'POST /users/me/webhook-secret': user(200, { needsLogin: true, audit: ['auth.webhook_secret_rotated'] }),

  'POST /jobs': user(202, {
    body: () => ({ type: 'explainer', parameters: prompt() }),
    otherBodies: {
      'parameters.assetId': (mine) => ({ type: 'conversion', parameters: conversion(mine) }),
      ...among(['videoAssetId', 'audioAssetId'], (mine) => ({ type: 'lipsync', parameters: lipsync(mine) })),
      ...among(['baseVideoAssetId', 'recipientsAssetId', 'voiceSampleAssetId'], (mine) => ({
        type: 'personalized',
        parameters: batch(mine),
      })),
    },
    bodyIds: { 'parameters.assetId': (mine) => mine.videoAssetId },
    ...held,
  }),
  'GET /jobs': user(200),
  'GET /jobs/{id}': owner(200),
  'DELETE /jobs/{id}': owner(200),
  'GET /jobs/{id}/events': owner(200),
  'GET /jobs/{id}/download': owner(200),
  'GET /jobs/{id}/artifacts': owner(200),
  'GET /jobs/{id}/artifacts/{artifactId}': owner(200),
  'POST /jobs/{id}/retry': owner(202, { ...failedJob, ...held }),
  'POST /jobs/{id}/approval': owner(409, {
    // The row waits, and no workflow does.
    ids: (mine) => ({ id: mine.waitingJobId }),
    body: () => ({ approved: true, edits: [{ number: 1, heading: 'Mine' }] }),
  }),

  'GET /jobs/{id}/recipients': owner(200),
  'GET /jobs/{id}/recipients/{position}/file': owner(200, { ids: () => ({ position: '0' }) }),
  'POST /personalized-videos': user(202, {
    body: batch,
    ...held,
  }),
  'POST /convert': user(202, { body: conversion, bodyIds: { assetId: (mine) => mine.videoAssetId } }),
  'POST /lipsync': user(202, { body: lipsync, ...held }),

  'POST /videos/generate': user(202, { body: prompt, ...held }),
  'GET /videos': user(200),
  'GET /videos/{id}': owner(200),
  'PUT /videos/{id}': owner(200, { body: () => ({ title: 'Mine now' }) }),
  'DELETE /videos/{id}': owner(204),
  'GET /videos/{id}/stream': owner(200),
  'GET /videos/{id}/thumbnail': owner(200),
  'GET /videos/{id}/captions.vtt': owner(200),
  'GET /videos/{id}/captions.srt': owner(200),
  'GET /videos/{id}/scenes': owner(200),
  'PATCH /videos/{id}/scenes/{number}': owner(202, { body: () => ({ heading: 'Mine now' }), ...held }),

  'POST /stages/content': user(202, { body: prompt }),
  'POST /stages/scripts': user(202, { body: ({ artifacts }) => ({ contentArtifact: artifacts.content }) }),
  'POST /stages/images': user(202, { body: ({ artifacts }) => ({ scriptArtifact: artifacts.script }) }),
  'POST /stages/voices': user(202, { body: ({ artifacts }) => ({ scriptArtifact: artifacts.script }) }),
  'POST /stages/captions': user(202, {
    body: ({ artifacts }) => ({ scriptArtifact: artifacts.script, voiceArtifacts: [artifacts.voice] }),
  }),
  'POST /stages/assembly': user(202, {
    body: ({ artifacts }) => ({
      scriptArtifact: artifacts.script,
      pictureArtifacts: [artifacts.picture],
      voiceArtifacts: [artifacts.voice],
      captionsArtifact: artifacts.captions,
    }),
    ...held,
  }),

  'GET /projects': user(200),
  'POST /projects': user(201, { body: () => ({ name: 'Mine' }) }),
  'GET /projects/{id}': owner(200),
  'PUT /projects/{id}': owner(200, { body: () => ({ name: 'Mine now' }) }),
  'DELETE /projects/{id}': owner(204),
  'GET /assets': user(200),
  'POST /assets': user(201, { form: file }),
  'GET /assets/{id}': owner(200),
  'GET /assets/{id}/content': owner(200),
  'DELETE /assets/{id}': owner(204),
  'POST /assets/uploads': user(201, { body: () => ({ kind: 'image', fileName: 'me.png', bytes: 9 }) }),
  // Nothing was sent yet.
  'POST /assets/uploads/{id}/complete': owner(409),
  // Open to who has the upload's own token, and nobody has it here.
  'PUT /uploads/{id}': anybody(404),

  'POST /cache/name-audio/clear': user(200),
  'GET /activities': user(200),
  'GET /activities/stats': user(200),
  'DELETE /activities': user(200),
  'GET /credits/balance': user(200),
  'GET /credits/entries': user(200),

  'GET /admin/users': admin(200),
  'POST /admin/users/{id}/suspend': admin(200, { audit: ['admin.user_suspended'] }),
  // Who is not suspended stays so.
  'POST /admin/users/{id}/unsuspend': admin(200),
  'POST /admin/users/{id}/credits': admin(200, {
    body: () => ({ amount: 5, reason: 'a test' }),
    audit: ['credits.granted'],
  }),
  'GET /admin/stats': admin(200),
  'GET /admin/jobs': admin(200),
  'GET /admin/audit': admin(200),
};
