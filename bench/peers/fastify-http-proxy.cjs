/** @fastify/http-proxy, which sends by undici. */
const { listen, maxSockets, nextBackend, requirePeer } = require('./setting.cjs');

const app = requirePeer('fastify')({ logger: false });
app.register(requirePeer('@fastify/http-proxy'), {
  upstream: '',
  undici: { connections: maxSockets, pipelining: 1, keepAliveTimeout: 60_000 },
  replyOptions: { getUpstream: nextBackend },
});
app.ready().then(() => listen(app.server));
