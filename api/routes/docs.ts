import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Hono } from 'hono';
import type { AppEnv } from '../context.js';

const require = createRequire(import.meta.url);

/** The two pages, their own scripts, and the installed packages' files that they load. Nothing comes from elsewhere. */
const files: Record<string, { path: string; contentType: string }> = {
  '/docs/swagger-ui.css': { path: 'swagger-ui-dist/swagger-ui.css', contentType: 'text/css' },
  '/docs/swagger-ui-bundle.js': {
    path: 'swagger-ui-dist/swagger-ui-bundle.js',
    contentType: 'text/javascript',
  },
  '/docs/favicon.png': { path: 'swagger-ui-dist/favicon-32x32.png', contentType: 'image/png' },
  '/redoc/redoc.standalone.js': {
    path: 'redoc/bundles/redoc.standalone.js',
    contentType: 'text/javascript',
  },
};

const scripts: Record<string, string> = {
  '/docs/start.js': `window.ui = SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null,
  persistAuthorization: false, tryItOutEnabled: true, defaultModelsExpandDepth: 0, docExpansion: 'list',
  presets: [SwaggerUIBundle.presets.apis],
});`,
  '/redoc/start.js': `Redoc.init('/openapi.json', {
  hideDownloadButton: false, disableSearch: false, expandResponses: '200,201,202', sortRequiredPropsFirst: true,
  theme: { typography: { fontFamily: 'system-ui, sans-serif', headings: { fontFamily: 'system-ui, sans-serif' } } },
}, document.getElementById('redoc'));`,
};

const pages: Record<string, string> = {
  '/docs': `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Callsheet API</title><link rel="icon" href="/docs/favicon.png"><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`,
  '/redoc': `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Callsheet API</title><link rel="icon" href="/docs/favicon.png"><style>body { margin: 0 }</style></head>
<body><div id="redoc"></div><script src="/redoc/redoc.standalone.js"></script><script src="/redoc/start.js"></script></body></html>`,
};

/** Even if a package wanted to, its page can load nothing but from here. */
const pagePolicy = [
  "default-src 'self'",
  "img-src 'self' data: blob:",
  "style-src 'self' 'unsafe-inline'",
  "worker-src 'self' blob:",
  "frame-ancestors 'none'",
].join('; ');

export function docsRoutes(): Hono<AppEnv> {
  const router = new Hono<AppEnv>();
  for (const [address, page] of Object.entries(pages)) {
    router.get(address, (c) => {
      c.header('content-security-policy', pagePolicy);
      return c.html(page);
    });
  }
  for (const [address, script] of Object.entries(scripts)) {
    router.get(address, (c) => c.body(script, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  }
  for (const [address, { path, contentType }] of Object.entries(files)) {
    router.get(address, async (c) => {
      const bytes = await readFile(require.resolve(path));
      return c.body(new Uint8Array(bytes), 200, {
        'content-type': contentType.startsWith('text/') ? `${contentType}; charset=utf-8` : contentType,
        'cache-control': 'public, max-age=3600',
      });
    });
  }
  return router;
}
