# Builds the image of Reprise in two stages: one compiles the sources, the other keeps
# what runs: dist/, the production dependencies and the launcher, on a bare Node.
# The image also holds the mock backend: node dist/mock/cli.js

# The Node that toolchain/package.json pins for development; a test compares the two.
ARG NODE_IMAGE=node:26.10.0-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Dependencies first: this layer is built again only when they change.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund --include=dev
COPY tsconfig.json tsconfig.build.json tsconfig.page.json ./
COPY scripts ./scripts
COPY mock ./mock
COPY src ./src
RUN npm run build && npm prune --no-audit --no-fund --omit=dev

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY bin ./bin
COPY scripts/find-node.sh ./scripts/find-node.sh
COPY config ./config
COPY --from=build /app/dist ./dist
RUN ln -s /app/bin/reprise /usr/local/bin/reprise && mkdir -p /data/events && chown -R 1000:1000 /data
# The event log; mount a volume here to keep it beyond the container.
ENV REPRISE_EVENT_LOG_DIR=/data/events
VOLUME /data

# The `node` user of the base image, by number, so that an orchestrator can see that it is not root.
USER 1000:1000
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.REPRISE_PORT || 8080) + '/health').then((response) => process.exit(response.ok ? 0 : 1), () => process.exit(1))"]

# Exec form, and the launcher execs Node: the daemon itself gets the signals of `docker stop`.
# The admin API stays on the container's loopback: docker exec reaches it, the network does not.
CMD ["reprise", "serve", "--host", "0.0.0.0"]
