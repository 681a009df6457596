/** The head of the OpenAPI document; the rest comes from the routes' own declarations. */
export const openApiInfo = {
  openapi: '3.1.0',
  info: {
    title: 'Callsheet',
    version: '1',
    description:
      'Turns a prompt or a text into a finished video. Everything long-running is a job: start it, follow `GET /jobs/{id}` or its events, and download the result.',
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'Auth', description: 'Accounts and tokens' },
    { name: 'Users' },
    { name: 'Jobs', description: 'Everything long-running' },
    { name: 'Videos', description: 'Explainers and the gallery' },
    { name: 'Stages', description: 'Single steps of an explainer' },
    { name: 'Admin', description: 'For the role `admin` only' },
    { name: 'Operations' },
  ],
};
